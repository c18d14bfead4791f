"""A cluster of objects and the traffic in it, for tests of what the dashboard makes of them.

shop = Shop()
shop.service("api", ready=3)
shop.ask("api", times=100)
view = shop.view("api")
"""

from __future__ import annotations

from typing import Any

from pilotfish.dashboard.catalog import Cluster
from pilotfish.dashboard.graph import map_view
from pilotfish.dashboard.messages import Finding, MapView, ServiceView
from pilotfish.dashboard.readiness import Readiness
from pilotfish.dashboard.services import services_view
from pilotfish.dashboard.slots import Kernel
from pilotfish.dashboard.statistics import Statistics
from pilotfish.objects.meta import Object
from pilotfish.tap.entry import Entry, timestamp
from support.entries import entry
from support.workloads import make_node, make_pod, make_service, metadata

NOW_S = 1_767_268_805.0  # 2026-01-01T12:00:05Z


def seen_pod(name: str, ip: str, owner: str = "", namespace: str = "default") -> Object:
    """A Pod as an entry names it; of a Deployment, if owner is given."""
    described: Object = {"name": name, "namespace": namespace, "labels": {}, "node": "node-1"}
    if owner:
        described["owner"] = {"kind": "Deployment", "name": owner}
    return {"ip": ip, "port": 8080, "name": name, "kind": "pod", "pod": described}


def seen_service(
    name: str, ip: str, port: int = 80, named: str = "80", namespace: str = "default"
) -> Object:
    """A Service as an entry names it; named is "" at a port that it does not have."""
    described = {"name": name, "namespace": namespace, "labels": {}, "port": named}
    described["type"] = "ClusterIP"
    return {"ip": ip, "port": port, "name": name, "kind": "service", "service": described}


def look_up(name: str, client: Object, status: str = "NXDOMAIN", at_s: float = NOW_S) -> Entry:
    """A question to the cluster's DNS."""
    return entry(
        timestamp=timestamp(at_s),
        protocol="dns",
        src=client,
        dst=seen_service("kube-dns", "10.96.0.10", 53, "dns", "kube-system"),
        endpoint={
            "ip": "192.168.64.2",
            "port": 53,
            "name": "node-1",
            "kind": "node",
            "node": {"name": "node-1"},
        },
        status=status,
        request={"name": name, "type": "A"},
        conn={"id": f"dns {name}", "first": True},
    )


class Shop:
    """A namespace with Services, their Pods, and a Pod that asks them."""

    def __init__(self) -> None:
        self.services: list[Object] = []
        self.pods: list[Object] = []
        self.slices: dict[tuple[str, str], list[Object]] = {}
        self.nodes = [make_node("node-1"), make_node("node-2")]
        self.kernels: dict[str, Kernel] = {}
        self.warnings: dict[str, str] = {}
        self.statistics = Statistics()
        self.readiness = Readiness()
        self.client = seen_pod("client", "10.244.9.9", "client")
        self._connections = 0

    # --- objects ---------------------------------------------------------------------------

    def service(self, name: str, ready: int = 0, unready: int = 0, **spec: Any) -> Object:
        """A Service with so many Pods: name-0, name-1, …, the ready ones first."""
        made = make_service(name, spec=spec)
        self.services.append(made)
        self.readiness.service_changed(None, made)
        endpoints = []
        for number in range(ready + unready):
            is_ready = number < ready
            pod = self.pod(f"{name}-{number}", f"10.244.0.{10 + number}", {"app": name}, is_ready)
            endpoints.append(self.endpoint(pod, is_ready, f"node-{1 + number % 2}"))
        if endpoints:
            self.slice(name, endpoints)
        return made

    def pod(
        self, name: str, ip: str, labels: dict[str, str], ready: bool = True, **more: Any
    ) -> Object:
        """A Pod of Deployment `app`."""
        ports = [{"containerPort": 8080, "name": "http"}]
        spec = {"containers": [{"name": "c", "image": "host", "ports": ports}]}
        given = {"node": "node-1", "spec": spec, "labels": labels} | more
        made = make_pod(name, ip=ip, ready=ready, **given)
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "controller": True}
        made["metadata"].setdefault("ownerReferences", [owner | {"name": labels.get("app", "")}])
        self.pods.append(made)
        return made

    def endpoint(self, pod: Object, ready: bool = True, node: str = "node-1") -> Object:
        """A Pod in an EndpointSlice."""
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        return {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {"ready": ready, "serving": ready, "terminating": False},
            "nodeName": node,
            "targetRef": {"kind": "Pod", "name": name, "namespace": "default", "uid": uid},
        }

    def slice(self, service: str, endpoints: list[Object], port: int = 8080) -> Object:
        """An EndpointSlice of a Service."""
        labels = {"kubernetes.io/service-name": service}
        number = len(self.slices.get(("default", service), ()))
        made = {
            "metadata": metadata(f"{service}-{number}", labels=labels),
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": [{"name": "", "port": port, "protocol": "TCP"}],
        }
        self.slices.setdefault(("default", service), []).append(made)
        self.readiness.slice_changed(None, made)
        return made

    def cluster(self) -> Cluster:
        return Cluster(
            self.services, self.pods, self.nodes, self.slices, self.kernels, self.warnings
        )

    # --- traffic ---------------------------------------------------------------------------

    def ask(self, service: str, to: int | None = 0, times: int = 1, **changes: Any) -> None:
        """Ask a Service so often, each time on a new connection, and Pod number `to` answers.

        to: None where nobody was chosen. connection: one for all of them.
        """
        connection = changes.pop("connection", "")
        at_s = changes.pop("at_s", NOW_S)
        for _ in range(times):
            self._connections += 1
            made = entry(
                timestamp=timestamp(at_s),
                src=self.client,
                dst=seen_service(service, "10.96.0.50"),
                conn={"id": connection or f"c{self._connections}", "first": True},
            )
            if to is None:
                del made["endpoint"]
            else:
                made["endpoint"] = seen_pod(f"{service}-{to}", f"10.244.0.{10 + to}", service)
            made |= changes
            self.statistics.add(made, self.readiness.of(made))

    def fail(self, service: str, status: str, to: int | None = 0, times: int = 1) -> None:
        """Ask, and get an error."""
        is_failure = not status.isdecimal()
        self.ask(
            service,
            to,
            times,
            error=True,
            status=status,
            failure=status if is_failure else "",
            elapsed_time=None if is_failure else 1000,
        )

    # --- what the dashboard makes of it ----------------------------------------------------

    def view(self, name: str, window_s: int = 60) -> ServiceView:
        """A Service as the page shows it."""
        window = self.statistics.window(window_s, NOW_S)
        views = services_view(self.cluster(), window)["services"]
        (found,) = [view for view in views if view["name"] == name]
        return found

    def findings(self, name: str) -> list[Finding]:
        return self.view(name)["findings"]

    def finding(self, name: str, part: str) -> Finding:
        """The one finding in whose text there is `part`."""
        every = self.findings(name)
        found = [each for each in every if part in each["what"]]
        assert len(found) == 1, f"{part!r} in {every}"
        return found[0]

    def map(self, window_s: int = 60) -> MapView:
        return map_view(self.pods, self.statistics.window(window_s, NOW_S))
