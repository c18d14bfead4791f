"""The Services page: each Service of the cluster with what it was asked in a window. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pilotfish.dashboard.explain import explain
from pilotfish.dashboard.subjects import subjects
from pilotfish.tap.shares import Observed, verdict

if TYPE_CHECKING:
    from pilotfish.dashboard.catalog import Cluster
    from pilotfish.dashboard.messages import (
        EndpointView,
        PortView,
        ServicesView,
        ServiceView,
        SlotsView,
    )
    from pilotfish.dashboard.statistics import Part, Window
    from pilotfish.dashboard.subject import Serving, Subject
    from pilotfish.objects.meta import Object

_HEAVIEST = 20


def services_view(cluster: Cluster, window: Window) -> ServicesView:
    """All Services, in order of namespaces and names."""
    return {
        "type": "services",
        "window_s": window.span.window_s,
        "bucket_times": window.span.times(),
        "services": [service_view(each, window) for each in subjects(cluster, window)],
        "unread": [
            {"node": node, "why": kernel.problem}
            for node, kernel in sorted(cluster.kernels.items())
            if kernel.problem
        ],
    }


def service_view(subject: Subject, window: Window) -> ServiceView:
    """One Service."""
    tally = subject.tally
    p50, p99 = tally.latencies.percentiles(0.5, 0.99)
    ips = subject.spec.get("clusterIPs") or [subject.spec.get("clusterIP")]
    return {
        "name": subject.name,
        "namespace": subject.namespace,
        "service_type": subject.type,
        "cluster_ips": [ip for ip in ips if ip],
        "external_addresses": [each for each in _external_addresses(subject) if each],
        "ports": [_port(port) for port in subject.spec.get("ports") or ()],
        "selector": subject.selector,
        "affinity": subject.spec.get("sessionAffinity") or "None",
        "balancing": subject.balancing,
        "endpoints": list(_endpoints(subject, window)),
        "slots": [_slots(node, row) for node, row in subject.kernel],
        "requests": tally.requests,
        "errors": tally.errors,
        "rate_per_s": tally.requests / window.span.seconds,
        "p50_us": p50,
        "p99_us": p99,
        "verdict": _verdict(subject),
        "findings": explain(subject),
    }


def _external_addresses(subject: Subject) -> Iterator[str]:
    yield from subject.spec.get("externalIPs") or ()
    status = (subject.service.get("status") or {}).get("loadBalancer") or {}
    for each in status.get("ingress") or ():
        yield each.get("ip") or each.get("hostname") or ""
    if subject.type == "ExternalName":
        yield subject.spec.get("externalName") or ""


def _port(port: Object) -> PortView:
    return {
        "name": port.get("name") or "",
        "protocol": port.get("protocol") or "TCP",
        "port": port["port"],
        "target_port": str(port.get("targetPort") or port["port"]),
        "node_port": port.get("nodePort") or 0,
    }


def _slots(node: str, row: Mapping[str, Any]) -> SlotsView:
    return {
        "node": node,
        "front": row["front"],
        "rule": row["rule"],
        "slots": row["slots"],
        "external": row.get("external", False),
        "drift": row.get("drift", ""),
    }


def _endpoints(subject: Subject, window: Window) -> Iterator[EndpointView]:
    connections = sum(each.tally.connections for each in subject.serving)
    expected = sum(each.fair for each in subject.serving)
    ready = len(subject.ready)
    for each in subject.serving:
        p50, p99 = each.tally.latencies.percentiles(0.5, 0.99)
        even = 1 / ready if each.ready else 0.0
        yield {
            "name": each.name,
            "namespace": each.namespace,
            "ip": each.ip,
            "ports": sorted(set(each.ports.values())),
            "node": each.node,
            "ready": each.ready,
            "terminating": each.terminating,
            "gone": each.gone,
            "why": each.why.what if each.why is not None else "",
            "requests": each.tally.requests,
            "errors": each.tally.errors,
            "connections": each.tally.connections,
            "share": each.tally.connections / connections if connections else 0.0,
            "fair": each.fair / expected if expected else even,
            "p50_us": p50,
            "p99_us": p99,
            "series": _series(each.parts, window.span.steps),
        }


def _series(parts: Iterable[Part], steps: int) -> list[int]:
    """Requests by step."""
    total = [0] * steps
    for part in parts:
        total = [a + b for a, b in zip(total, part.steps, strict=True)]
    return total


def _verdict(subject: Subject) -> str:
    """Whether the shares are what equal chances give; "" where nobody chose for the clients."""
    asked: list[Serving] = [each for each in subject.serving if each.fair or each.ready]
    if not any(each.fair for each in asked):
        return ""
    return verdict(
        Observed(
            requests={each.name: each.tally.requests for each in asked},
            connections={each.name: each.tally.connections for each in asked},
            expected={each.name: each.fair for each in asked},
            heaviest=tuple(heapq.nlargest(_HEAVIEST, subject.heaviest)),
            affinity=subject.has_affinity,
            round_robin=subject.balancing == "round-robin",
        )
    )
