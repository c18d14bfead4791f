"""All Services of a cluster, each with everything that is known of it: `Subject`s. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pilotfish.dashboard.ends import End
from pilotfish.dashboard.near import nearest
from pilotfish.dashboard.readiness import is_ready, is_terminating
from pilotfish.dashboard.subject import Serving, Subject
from pilotfish.dashboard.tally import Tally
from pilotfish.dashboard.why import Why, why_unready
from pilotfish.objects.meta import Object, labels_of, name_of, namespace_of, uid_of
from pilotfish.objects.pods import is_terminal

if TYPE_CHECKING:
    from pilotfish.dashboard.catalog import Cluster
    from pilotfish.dashboard.misses import Miss, WrongPort
    from pilotfish.dashboard.statistics import Part, Window

_Key = tuple[str, str]  # namespace, name
_MOST_MISSES = 50
_GONE = Why("gone: it is no endpoint any more")


def subjects(cluster: Cluster, window: Window) -> Iterator[Subject]:
    """Every Service, in order of namespaces and names."""
    parts: dict[_Key, list[Part]] = defaultdict(list)
    direct: dict[str, list[Part]] = defaultdict(list)
    for part in window.parts:
        target = part.route.target
        if target.kind == "service":
            parts[target.namespace, target.name].append(part)
        elif part.host_name and part.route.endpoint is not None:
            direct[part.route.endpoint.ip].append(part)
    pods = _Pods(cluster.pods)
    services = {(namespace_of(each), name_of(each)): each for each in cluster.services}
    kernel = defaultdict(list)
    for node, held in cluster.kernels.items():
        for row in held.fronts:
            namespace, _, name = row.get("service", "").partition("/")
            kernel[namespace, name].append((node, row))
    read = sorted(node for node, held in cluster.kernels.items() if not held.problem)
    misses = _misses(window.names, services)
    wrong_ports: dict[_Key, list[WrongPort]] = defaultdict(list)
    for wrong in window.ports:
        wrong_ports[wrong.namespace, wrong.service].append(wrong)
    nodes = {name_of(node): node for node in cluster.nodes}
    for key in sorted(services):
        service = services[key]
        asked = parts[key]
        if (service.get("spec") or {}).get("clusterIP") == "None":
            asked = list(_by_name(key, cluster.slices.get(key, ()), direct))
        matching = pods.matching(service)
        serving = list(
            _serving(cluster.slices.get(key, ()), matching, asked, nodes, cluster.warnings)
        )
        yield Subject(
            service,
            pods=matching,
            neighbours=pods.of(key[0]),
            strangers=() if matching else pods.strangers(service),
            serving=serving,
            parts=asked,
            tally=_sum(asked),
            heaviest=sorted(window.connections.get(End("service", "", *key), ()), reverse=True),
            kernel=kernel[key],
            read_kernels=read,
            nodes=sorted(nodes),
            misses=misses[key],
            wrong_ports=wrong_ports[key],
            now_s=window.span.now_s,
        )


class _Pods:
    """Pods by namespace and label, so that each Service looks at few of them."""

    def __init__(self, pods: Iterable[Object]) -> None:
        self._by_namespace: dict[str, list[Object]] = defaultdict(list)
        self._by_label: dict[tuple[str, str], list[Object]] = defaultdict(list)
        for pod in pods:
            if is_terminal(pod):
                continue
            self._by_namespace[namespace_of(pod)].append(pod)
            for label in labels_of(pod).items():
                self._by_label[label].append(pod)

    def of(self, namespace: str) -> Sequence[Object]:
        return self._by_namespace.get(namespace, ())

    def matching(self, service: Object) -> list[Object]:
        namespace = namespace_of(service)
        return [pod for pod in self._everywhere(service) if namespace_of(pod) == namespace]

    def strangers(self, service: Object) -> list[Object]:
        namespace = namespace_of(service)
        return [pod for pod in self._everywhere(service) if namespace_of(pod) != namespace]

    def _everywhere(self, service: Object) -> Iterator[Object]:
        selector: Mapping[str, str] = (service.get("spec") or {}).get("selector") or {}
        if not selector:
            return
        candidates = min((self._by_label.get(label, []) for label in selector.items()), key=len)
        for pod in candidates:
            if selector.items() <= labels_of(pod).items():
                yield pod


def _serving(
    slices: Iterable[Object],
    pods: Sequence[Object],
    parts: Sequence[Part],
    nodes: Mapping[str, Object],
    warnings: Mapping[str, str],
) -> Iterator[Serving]:
    """Endpoints by address, then Pods that have none yet, then those that are gone."""
    by_endpoint: dict[tuple[str, str], list[Part]] = defaultdict(list)
    for part in parts:
        if part.route.endpoint is not None:
            # An address that another Pod had before does not tell; what is no Pod has but that.
            chosen = part.route.endpoint
            by_endpoint[chosen.ip, chosen.name if chosen.namespace else ""].append(part)
    expected = _sum(parts).expected()
    by_name = {name_of(pod): pod for pod in pods}
    described: dict[str, tuple[Object, dict[str, int]]] = {}
    for each in slices:
        for endpoint in each.get("endpoints") or ():
            # Of several addresses only the first is ever used (API reference of EndpointSlice).
            _, ports = described.setdefault(endpoint["addresses"][0], (endpoint, {}))
            for port in each.get("ports") or ():
                if port.get("port"):
                    ports[port.get("name") or ""] = port["port"]
    seen = set()
    for address, (endpoint, ports) in sorted(described.items(), key=_address_order):
        target = endpoint.get("targetRef") or {}
        name = target.get("name") or endpoint.get("nodeName") or address
        seen.add(name)
        ready = is_ready(endpoint)
        asked = _take(by_endpoint, address, target.get("name") or "")
        yield Serving(
            name,
            target.get("namespace") or "",
            address,
            ports,
            endpoint.get("nodeName") or "",
            ready,
            is_terminating(endpoint),
            None if ready else _why(by_name.get(name), is_terminating(endpoint), nodes, warnings),
            asked,
            _sum(asked),
            expected.get(address, 0.0),
        )
    for name in sorted(by_name.keys() - seen):
        pod = by_name[name]
        why = _why(pod, False, nodes, warnings)
        node = (pod.get("spec") or {}).get("nodeName") or ""
        yield Serving(name, namespace_of(pod), "", {}, node, False, False, why, (), Tally(), 0.0)
    for (address, name), asked in sorted(by_endpoint.items()):
        former = asked[0].route.endpoint
        assert former is not None
        fair = 0.0 if address in described else expected.get(address, 0.0)
        yield Serving(
            name or former.name, former.namespace, address, {}, "", False, True, _GONE, asked,
            _sum(asked), fair, gone=True,
        )  # fmt: skip


def _take(by_endpoint: dict[tuple[str, str], list[Part]], address: str, pod: str) -> list[Part]:
    """What an endpoint was asked. pod: "" for one of which the slice says no more."""
    keys = [key for key in by_endpoint if key[0] == address and key[1] in ("", pod or key[1])]
    return [part for key in keys for part in by_endpoint.pop(key)]


def _address_order(item: tuple[str, object]) -> tuple[int, str]:
    return len(item[0]), item[0]


def _why(
    pod: Object | None, terminating: bool, nodes: Mapping[str, Object], warnings: Mapping[str, str]
) -> Why:
    found = why_unready(pod, nodes, warnings.get(uid_of(pod), "")) if pod is not None else None
    # The EndpointSlice follows the Pod, a moment later.
    return found or Why("terminating" if terminating else "not ready")


def _by_name(
    key: _Key, slices: Iterable[Object], direct: Mapping[str, list[Part]]
) -> Iterator[Part]:
    """What went to the Pods of a headless Service by its name."""
    namespace, name = key
    suffix = f"{name}.{namespace}.svc"
    for each in slices:
        for endpoint in each.get("endpoints") or ():
            for part in direct.get(endpoint["addresses"][0], ()):
                labels = part.host_name.split(".")
                if ".".join(labels[:3]) == suffix or ".".join(labels[1:4]) == suffix:
                    yield part


def _misses(found: Sequence[Miss], services: Mapping[_Key, Object]) -> dict[_Key, list[Miss]]:
    """By the Service that was probably meant."""
    by_namespace: dict[str, list[str]] = defaultdict(list)
    by_name: dict[str, list[str]] = defaultdict(list)
    for namespace, name in services:
        by_namespace[namespace].append(name)
        by_name[name].append(namespace)
    meant: dict[_Key, list[Miss]] = defaultdict(list)
    for miss in found[-_MOST_MISSES:]:
        if (miss.namespace, miss.name) in services:
            continue  # it has been made since
        near = nearest(miss.name, by_namespace.get(miss.namespace, ()))
        if near:
            meant[miss.namespace, near].append(miss)
        for namespace in by_name.get(miss.name, ()):
            meant[namespace, miss.name].append(miss)
    return meant


def _sum(parts: Iterable[Part]) -> Tally:
    total = Tally()
    for part in parts:
        total.merge(part.tally)
    return total
