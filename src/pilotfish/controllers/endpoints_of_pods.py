"""The endpoints that a Service's Pods make: the core of EndpointSlices and of Endpoints.

A Pod belongs to a Service by the Service's selector, has an address once its
sandbox is up, and stays listed (as terminating) until it is gone, so that
those who use the endpoints can let it drain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pilotfish.objects.meta import (
    Object,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from pilotfish.objects.pods import host_node, is_ready, is_terminal, pod_ips, target_port

ZONE_LABEL = "topology.kubernetes.io/zone"
# PreferClose is the former name of PreferSameZone.
_DISTRIBUTIONS = ("PreferSameZone", "PreferSameNode", "PreferClose")
HEADLESS_LABEL = "service.kubernetes.io/headless"

# A port as EndpointSlices carry it, hashable: name, protocol, number, appProtocol.
Port = tuple[str, str, int, str | None]
Ports = tuple[Port, ...]


def has_managed_endpoints(service: Object) -> bool:
    """Whether the Service's endpoints follow a selector, rather than being written by hand."""
    spec = service["spec"]
    return bool(spec.get("selector")) and spec.get("type") != "ExternalName"


def is_headless(service: Object) -> bool:
    """Whether the Service has no address of its own."""
    return bool(service["spec"].get("clusterIP") == "None")


def endpoint_ports(service: Object, pod: Object) -> Ports:
    """The numbers of the Service's ports on this Pod; a named port that it lacks is left out."""
    ports = []
    for port in service["spec"].get("ports") or ():
        number = target_port(port, pod)
        if number is None:
            continue
        name, protocol = port.get("name", ""), port.get("protocol", "TCP")
        ports.append((name, protocol, number, port.get("appProtocol")))
    return tuple(ports)


def address_of(pod: Object, address_type: str) -> str | None:
    """The Pod's address of a family (`IPv4` or `IPv6`), or None."""
    for address in pod_ips(pod):
        if (":" in address) == (address_type == "IPv6"):
            return address
    return None


def endpoint(service: Object, pod: Object, address: str, zones: Mapping[str, str]) -> Object:
    """One endpoint of an EndpointSlice.

    Args:
        service: the Service.
        pod: a Pod that it selects.
        address: the Pod's address of the slice's family.
        zones: the zone of each node that has one.
    """
    serving, terminating = is_ready(pod), is_deleting(pod)
    unready_too = bool(service["spec"].get("publishNotReadyAddresses"))
    node = host_node(pod)
    result: Object = {
        "addresses": [address],
        "conditions": {
            "ready": unready_too or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": {
            "kind": "Pod",
            "namespace": namespace_of(pod),
            "name": name_of(pod),
            "uid": uid_of(pod),
        },
    }
    if node:
        result["nodeName"] = node
        if zones.get(node):
            result["zone"] = zones[node]
    hostname = hostname_in(service, pod)
    if hostname:
        result["hostname"] = hostname
    hints = _hints(service, result)
    if hints:
        result["hints"] = hints
    return result


def _hints(service: Object, endpoint: Object) -> Object:
    """For whom the endpoint is meant, by the Service's trafficDistribution; {} for everyone.

    https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-distribution
    """
    wish = service["spec"].get("trafficDistribution")
    if wish not in _DISTRIBUTIONS or not endpoint["conditions"]["ready"]:
        return {}
    hints: Object = {}
    if endpoint.get("zone"):
        hints["forZones"] = [{"name": endpoint["zone"]}]
    if wish == "PreferSameNode" and endpoint.get("nodeName"):
        hints["forNodes"] = [{"name": endpoint["nodeName"]}]
    return hints


def hostname_in(service: Object, pod: Object) -> str:
    """The name that the Pod has within the Service's domain, if it asks for one."""
    spec = pod["spec"]
    if spec.get("hostname") and spec.get("subdomain") == name_of(service):
        return str(spec["hostname"])
    return ""


def belongs(pod: Object, terminating_too: bool) -> bool:
    """Whether the Pod can be an endpoint: bound, with an address and not at its end."""
    if is_terminal(pod) or not host_node(pod) or not pod_ips(pod):
        return False
    return terminating_too or not is_deleting(pod)


class EndpointsByPorts:
    """A Service's endpoints of one address family, remembered from one look to the next.

    Objects from a cache are never changed, only replaced: while the Service and
    a Pod are the same objects as before, so is the endpoint. Of thousands of
    Pods, one that changed is then all the work.
    """

    def __init__(self, address_type: str) -> None:
        self._address_type = address_type
        self._service: Object = {}
        self._made: dict[str, tuple[Object, Ports, Object]] = {}

    def wanted(
        self, service: Object, pods: Iterable[Object], zones: Mapping[str, str]
    ) -> dict[Ports, dict[str, Object]]:
        """The endpoints, by Pod uid and grouped by their ports.

        Pods whose named ports have other numbers go to other slices.
        """
        made = self._made if self._service is service else {}
        self._service, self._made = service, {}
        groups: dict[Ports, dict[str, Object]] = {}
        for pod in pods:
            uid = uid_of(pod)
            known = made.get(uid)
            if known is None or known[0] is not pod:
                if not belongs(pod, terminating_too=True):
                    continue
                address = address_of(pod, self._address_type)
                if address is None:
                    continue
                entry = endpoint(service, pod, address, zones)
                known = (pod, endpoint_ports(service, pod), entry)
            self._made[uid] = known
            groups.setdefault(known[1], {})[uid] = known[2]
        return groups


def address_types(service: Object, pods: Iterable[Object]) -> list[str]:
    """The address families of the Service; those of its Pods where it does not say."""
    families = service["spec"].get("ipFamilies")
    if families:
        return list(families)
    found = {"IPv6" if ":" in address else "IPv4" for pod in pods for address in pod_ips(pod)}
    return sorted(found) or ["IPv4"]


def endpoint_subsets(service: Object, pods: Iterable[Object]) -> list[Object]:
    """The `subsets` of a core/v1 Endpoints object, in a stable order.

    Addresses with the same ports share a subset, the ready apart from the
    others; Pods on their way out are not listed.
    """
    family = address_types(service, ())[0]
    unready_too = bool(service["spec"].get("publishNotReadyAddresses"))
    groups: dict[Ports, tuple[list[Object], list[Object]]] = {}
    for pod in pods:
        address = address_of(pod, family) if belongs(pod, terminating_too=False) else None
        if address is None:
            continue
        ports = endpoint_ports(service, pod)
        if not ports and not is_headless(service):
            continue
        ready, not_ready = groups.setdefault(ports, ([], []))
        chosen = ready if unready_too or is_ready(pod) else not_ready
        chosen.append(_subset_address(service, pod, address))
    subsets = []
    for ports, (ready, not_ready) in sorted(groups.items(), key=lambda item: str(item[0])):
        subset: Object = {}
        if ready:
            subset["addresses"] = sorted(ready, key=_by_address)
        if not_ready:
            subset["notReadyAddresses"] = sorted(not_ready, key=_by_address)
        if ports:
            subset["ports"] = [_port_object(port) for port in ports]
        subsets.append(subset)
    return subsets


def _subset_address(service: Object, pod: Object, address: str) -> Object:
    result: Object = {
        "ip": address,
        "nodeName": host_node(pod),
        "targetRef": {
            "kind": "Pod",
            "namespace": namespace_of(pod),
            "name": name_of(pod),
            "uid": uid_of(pod),
        },
    }
    hostname = hostname_in(service, pod)
    return {"hostname": hostname, **result} if hostname else result


def _by_address(address: Object) -> tuple[int, str]:
    return len(address["ip"]), address["ip"]


def _port_object(port: Port) -> Object:
    name, protocol, number, app_protocol = port
    result: Object = {"port": number, "protocol": protocol}
    if name:
        result["name"] = name
    if app_protocol:
        result["appProtocol"] = app_protocol
    return result


def slice_ports(ports: Ports) -> list[Object]:
    """Ports as an EndpointSlice lists them; the name is there even when it is empty."""
    return [{"name": port[0], **_port_object(port)} for port in ports]


def ports_of_slice(endpoint_slice: Object) -> Ports:
    """The ports of an EndpointSlice in the form that groups are keyed by."""
    return tuple(
        (
            port.get("name", ""),
            port.get("protocol", "TCP"),
            port.get("port", 0),
            port.get("appProtocol"),
        )
        for port in endpoint_slice.get("ports") or ()
    )


def service_labels(service: Object) -> dict[str, str]:
    """The Service's own labels, which its endpoints carry too, and the headless mark."""
    labels = dict(labels_of(service))
    if is_headless(service):
        labels[HEADLESS_LABEL] = ""
    return labels


def endpoint_facts(pod: Object) -> tuple[Any, ...]:
    """All of a Pod that endpoints depend on: while it stays equal, they stay equal."""
    spec = pod["spec"]
    return (
        labels_of(pod),
        pod_ips(pod),
        is_ready(pod),
        is_deleting(pod),
        is_terminal(pod),
        host_node(pod),
        spec.get("hostname"),
        spec.get("subdomain"),
        uid_of(pod),
    )
