"""The Services page: each Service of the cluster with what it was asked in a window. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilotfish.dashboard.readiness import is_ready, is_terminating
from pilotfish.dashboard.tally import Tally
from pilotfish.objects.meta import Object, annotations_of, name_of, namespace_of

if TYPE_CHECKING:
    from pilotfish.dashboard.catalog import Cluster
    from pilotfish.dashboard.messages import EndpointView, PortView, ServicesView, ServiceView
    from pilotfish.dashboard.statistics import Part, Window

_BALANCING = "pilotfish.dev/load-balancing"


@dataclass
class _Asked:
    """What a Service, or one of its endpoints, was asked."""

    steps: list[int]
    tally: Tally = field(default_factory=Tally)

    def add(self, part: Part) -> None:
        self.tally.merge(part.tally)
        self.steps = [a + b for a, b in zip(self.steps, part.steps, strict=True)]


def services_view(cluster: Cluster, window: Window) -> ServicesView:
    """All Services, in order of their names."""
    parts: dict[tuple[str, str], list[Part]] = {}
    for part in window.parts:
        if part.route.target.kind == "service":
            key = part.route.target.namespace, part.route.target.name
            parts.setdefault(key, []).append(part)
    views = [
        _service(service, cluster, window, parts.get((namespace_of(service), name_of(service)), []))
        for service in cluster.services
    ]
    return {
        "type": "services",
        "window_s": window.span.window_s,
        "bucket_times": window.span.times(),
        "services": sorted(views, key=lambda view: (view["namespace"], view["name"])),
    }


def _service(service: Object, cluster: Cluster, window: Window, parts: list[Part]) -> ServiceView:
    spec = service.get("spec") or {}
    asked = _Asked([0] * window.span.steps)
    for part in parts:
        asked.add(part)
    slices = cluster.slices.get((namespace_of(service), name_of(service)), [])
    p50, p99 = asked.tally.latencies.percentiles(0.5, 0.99)
    return {
        "name": name_of(service),
        "namespace": namespace_of(service),
        "service_type": spec.get("type", "ClusterIP"),
        "cluster_ips": spec.get("clusterIPs") or [spec.get("clusterIP") or ""],
        "external_addresses": list(_external_addresses(service)),
        "ports": [_port(port) for port in spec.get("ports") or ()],
        "selector": spec.get("selector") or {},
        "affinity": spec.get("sessionAffinity", "None"),
        "balancing": annotations_of(service).get(_BALANCING, "random"),
        "endpoints": _endpoints(slices, window, parts),
        "slots": [],
        "requests": asked.tally.requests,
        "errors": asked.tally.errors,
        "rate_per_s": asked.tally.requests / window.span.seconds,
        "p50_us": p50,
        "p99_us": p99,
        "verdict": "",
        "findings": [],
    }


def _external_addresses(service: Object) -> Iterable[str]:
    spec = service.get("spec") or {}
    yield from spec.get("externalIPs") or ()
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    for each in ingress:
        yield each.get("ip") or each.get("hostname") or ""
    if spec.get("type") == "ExternalName":
        yield spec.get("externalName") or ""


def _port(port: Object) -> PortView:
    return {
        "name": port.get("name") or "",
        "protocol": port.get("protocol") or "TCP",
        "port": port["port"],
        "target_port": str(port.get("targetPort") or port["port"]),
        "node_port": port.get("nodePort") or 0,
    }


def _endpoints(slices: list[Object], window: Window, parts: list[Part]) -> list[EndpointView]:
    found = []
    connections = sum(part.tally.connections for part in parts if part.route.endpoint) or 1
    for each in slices:
        for endpoint in each.get("endpoints") or ():
            address = endpoint["addresses"][0]
            target = endpoint.get("targetRef") or {}
            asked = _Asked([0] * window.span.steps)
            for part in parts:
                if part.route.endpoint is not None and part.route.endpoint.ip == address:
                    asked.add(part)
            p50, p99 = asked.tally.latencies.percentiles(0.5, 0.99)
            view: EndpointView = {
                "name": target.get("name") or endpoint.get("nodeName") or address,
                "namespace": target.get("namespace") or "",
                "ip": address,
                "ports": [port["port"] for port in each.get("ports") or () if port.get("port")],
                "node": endpoint.get("nodeName") or "",
                "ready": is_ready(endpoint),
                "terminating": is_terminating(endpoint),
                "why": "" if is_ready(endpoint) else "not ready",
                "requests": asked.tally.requests,
                "errors": asked.tally.errors,
                "connections": asked.tally.connections,
                "share": asked.tally.connections / connections,
                "fair": 0.0,
                "p50_us": p50,
                "p99_us": p99,
                "series": asked.steps,
            }
            found.append(view)
    return found
