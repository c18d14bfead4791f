"""What a Service wants of the kernel's tables: at which addresses it answers, and what then.

Pure: a Service, its EndpointSlices and what is known of the node in, `Wanted` out.

Sources: Kubernetes documentation, "Service" and "Virtual IPs and Service Proxies".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pilotfish.objects.load_balancing import ROUND_ROBIN, load_balancing_of
from pilotfish.objects.meta import Object, key_of, labels_of
from pilotfish.proxy import endpoints
from pilotfish.proxy.endpoints import Candidate
from pilotfish.proxy.family import Family, family_of
from pilotfish.proxy.fronts import NOTHING, Balance, Front, Target, Wanted

_PROXY_NAME = "service.kubernetes.io/service-proxy-name"
_AFFINITY_TIMEOUT_S = 10_800


@dataclass(frozen=True)
class NodeFacts:
    """What the tables depend on of the node that they are for, and of nothing else of it.

    `addresses`: its InternalIPs, where NodePorts answer. `pod_cidrs`: those of its own Pods.
    """

    name: str
    addresses: tuple[str, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    zone: str = ""


def node_facts(name: str, node: Object | None) -> NodeFacts:
    """The facts of a Node object; of a node that is not there yet, its name."""
    if node is None:
        return NodeFacts(name)
    spec = node.get("spec") or {}
    reported = (node.get("status") or {}).get("addresses") or ()
    pod_cidrs = spec.get("podCIDRs") or [spec.get("podCIDR")]
    return NodeFacts(
        name,
        tuple(a["address"] for a in reported if a.get("type") == "InternalIP"),
        tuple(cidr for cidr in pod_cidrs if cidr),
        labels_of(node).get("topology.kubernetes.io/zone", ""),
    )


def own_ranges(facts: NodeFacts, family: Family) -> tuple[str, ...]:
    """CIDRs of the node and its Pods: answers to what they send come back through this node."""
    wanted = (*facts.addresses, *facts.pod_cidrs)
    return merged_ranges(cidr for cidr in wanted if family_of(cidr) == family)


def merged_ranges(cidrs: Iterable[str]) -> tuple[str, ...]:
    """CIDRs of one family without overlaps, in order."""
    networks = [ipaddress.ip_network(cidr, strict=False) for cidr in cidrs]
    return tuple(str(n) for n in ipaddress.collapse_addresses(networks))  # type: ignore[type-var]


def is_proxied(service: Object) -> bool:
    """Whether a Service has addresses of its own at all, and leaves them to this proxy."""
    spec = service.get("spec") or {}
    return (
        spec.get("type") != "ExternalName"
        and spec.get("clusterIP") not in (None, "", "None")
        and _PROXY_NAME not in labels_of(service)
    )


def wanted(
    service: Object | None, slices: Sequence[Object], facts: NodeFacts, family: Family
) -> Wanted:
    """What a Service (None: a deleted one) wants of the tables of one family."""
    if service is None or not is_proxied(service):
        return NOTHING
    fronts: dict[Front, Target] = {}
    sources: dict[Front, tuple[str, ...]] = {}
    own: set[str] = set()
    balanced = load_balancer_addresses(service, family)
    ranges = _source_ranges(service, family)
    for port in service["spec"].get("ports") or ():
        protocol = (port.get("protocol") or "TCP").lower()
        found = endpoints.candidates(slices, port.get("name") or "", protocol, family)
        fronts.update(_port_fronts(service, port, protocol, found, facts, family))
        if ranges is not None:
            sources |= {Front(address, protocol, port["port"]): ranges for address in balanced}
        # An endpoint can reach itself only where it runs.
        own.update(c.endpoint.address for c in endpoints.on_node(found, facts.name))
    return Wanted(fronts, frozenset(own), sources, frozenset(balanced) - set(facts.addresses))


def _port_fronts(
    service: Object,
    port: Object,
    protocol: str,
    found: Sequence[Candidate],
    facts: NodeFacts,
    family: Family,
) -> Iterator[tuple[Front, Target]]:
    """The fronts of one Service port and their targets."""
    spec = service["spec"]
    everywhere = endpoints.usable(found)
    here = endpoints.usable(endpoints.on_node(found, facts.name))
    cluster = endpoints.near(everywhere, facts.name, facts.zone)
    internal = here if spec.get("internalTrafficPolicy") == "Local" else cluster
    for address in cluster_addresses(service, family):
        yield Front(address, protocol, port["port"]), _target(service, port, "", internal)

    for address, number in _outside_addresses(service, port, facts, family):
        # Under policy Local this node and its own Pods still reach every endpoint: for them
        # nothing between them and the endpoint would hide the client.
        yield Front(address, protocol, number), _target(service, port, "", cluster)
        if spec.get("externalTrafficPolicy") == "Local":
            local = _target(service, port, "external", here)
            if local == "refuse" and everywhere:
                # Other nodes do serve: silence lets the sender's load balancer try one of them.
                local = "drop"
            yield Front(address, protocol, number, external=True), local


def _target(service: Object, port: Object, scope: str, chosen: Sequence[Candidate]) -> Target:
    if not chosen:
        return "refuse"
    counter = ""
    if load_balancing_of(service) == ROUND_ROBIN:
        protocol = (port.get("protocol") or "TCP").lower()
        counter = "/".join(filter(None, (key_of(service), str(port["port"]), protocol, scope)))
    return Balance(tuple(c.endpoint for c in chosen), _sticky_s(service), counter)


def _sticky_s(service: Object) -> int:
    spec = service["spec"]
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return config.get("timeoutSeconds") or _AFFINITY_TIMEOUT_S


def cluster_addresses(service: Object, family: Family) -> list[str]:
    """Its ClusterIPs of one family."""
    spec = service["spec"]
    return _of_family(spec.get("clusterIPs") or [spec["clusterIP"]], family)


def load_balancer_addresses(service: Object, family: Family) -> list[str]:
    """Its LoadBalancer addresses of one family that nodes answer for."""
    if service["spec"].get("type") != "LoadBalancer":
        return []
    ingresses = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    # ipMode Proxy: the load balancer wants the traffic itself, also from inside the cluster.
    addresses = [i.get("ip") for i in ingresses if i.get("ipMode", "VIP") == "VIP"]
    return _of_family([address for address in addresses if address], family)


def _outside_addresses(
    service: Object, port: Object, facts: NodeFacts, family: Family
) -> Iterator[tuple[str, int]]:
    """(address, port) where clients outside the cluster reach a Service port."""
    for address in load_balancer_addresses(service, family):
        yield address, port["port"]
    for address in _of_family(service["spec"].get("externalIPs") or (), family):
        yield address, port["port"]
    if port.get("nodePort"):
        for address in _of_family(facts.addresses, family):
            yield address, port["nodePort"]


def _source_ranges(service: Object, family: Family) -> tuple[str, ...] | None:
    """The CIDRs of one family that may use its LoadBalancer addresses; None: all."""
    ranges = service["spec"].get("loadBalancerSourceRanges") or ()
    stripped = [cidr.strip() for cidr in ranges]
    if not stripped:
        return None
    return merged_ranges(cidr for cidr in stripped if family_of(cidr) == family)


def _of_family(addresses: Iterable[str], family: Family) -> list[str]:
    return [address for address in addresses if family_of(address) == family]
