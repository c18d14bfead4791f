"""The kernel's tables in words: what happens to a packet for a Service.

Pure: what was read from a node's kernel, and the objects it is about, in; lines of text out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pilotfish.objects.meta import Object, key_of
from pilotfish.proxy import reading, services
from pilotfish.proxy.family import FAMILIES, Family
from pilotfish.proxy.fronts import Balance, Endpoint, Front, Target
from pilotfish.proxy.reading import Broken, Drift
from pilotfish.proxy.services import NodeFacts


@dataclass(frozen=True)
class NodeView:
    """One node's kernel and what is known about it.

    `remembered`: how many clients of a sticky front the kernel remembers.
    """

    facts: NodeFacts
    installed: Mapping[Front, Target | Broken]
    remembered: Mapping[Front, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ServiceView:
    """A Service with the objects that explain its endpoints."""

    service: Object
    slices: Sequence[Object]

    def fronts(self, facts: NodeFacts) -> dict[Front, Target]:
        """What a node's kernel should do for it."""
        found: dict[Front, Target] = {}
        for family in FAMILIES:
            found.update(services.wanted(self.service, self.slices, facts, family).fronts)
        return found

    def pod_of(self, endpoint: Endpoint) -> tuple[str, str]:
        """Name of the Pod (or "") and of the node (or "") behind an endpoint."""
        for endpoint_slice in self.slices:
            for described in endpoint_slice.get("endpoints") or ():
                if endpoint.address in described["addresses"]:
                    target = described.get("targetRef") or {}
                    return target.get("name", ""), described.get("nodeName") or ""
        return "", ""


def drift_of(view: ServiceView, node: NodeView) -> list[Drift]:
    """Where a node's kernel does not do what it should for a Service."""
    wanted = view.fronts(node.facts)
    addresses = {address for family in FAMILIES for address in _addresses(view.service, family)}
    own_ports = {front[:3] for front in wanted}
    installed = {
        front: target
        for front, target in node.installed.items()
        if front in wanted or front.address in addresses or front[:3] in own_ports
    }
    return reading.drift(installed, wanted)


def _addresses(service: Object, family: Family) -> list[str]:
    if not services.is_proxied(service):
        return []
    return [
        *services.cluster_addresses(service, family),
        *services.load_balancer_addresses(service, family),
    ]


def explain(view: ServiceView, node: NodeView) -> Iterator[str]:
    """What a node's kernel does with a packet for a Service, line by line."""
    key = key_of(view.service)
    spec = view.service["spec"]
    if not services.is_proxied(view.service):
        yield f"Service {key}: {_why_not_proxied(view.service)}"
        return
    yield f"Service {key}, as the kernel of {node.facts.name} has it"
    for fronts, target in _groups(view, node):
        yield ""
        for front in fronts:
            yield f"  {_where(view.service, front)}"
        yield from _what(view, node, fronts, target)
    limits = spec.get("loadBalancerSourceRanges")
    if limits and spec.get("type") == "LoadBalancer":
        yield ""
        yield f"  LoadBalancer address: only clients in {', '.join(limits)}; silence for others"
    yield ""
    found = drift_of(view, node)
    if not found:
        yield "  Drift: none. The kernel holds what the API server says."
    for one in found:
        yield f"  Drift at {_text(one.front)}: {describe_drift(one)}"


def _why_not_proxied(service: Object) -> str:
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return f"no packet concerns the kernel; its name is an alias of {spec.get('externalName')}"
    if spec.get("clusterIP") == "None":
        return "headless; its name leads straight to the Pods' addresses, past these tables"
    return "it names another proxy, which these tables leave it to"


def _groups(view: ServiceView, node: NodeView) -> list[tuple[list[Front], Target | Broken | None]]:
    """The Service's fronts, together where the same happens."""
    groups: list[tuple[list[Front], Target | Broken | None]] = []
    for front in view.fronts(node.facts):
        target = node.installed.get(front)
        for fronts, known in groups:
            if known == target:
                fronts.append(front)
                break
        else:
            groups.append(([front], target))
    return groups


def _where(service: Object, front: Front) -> str:
    spec = service["spec"]
    cluster = [spec.get("clusterIP"), *(spec.get("clusterIPs") or ())]
    if front.address in cluster:
        kind = "ClusterIP"
    elif any(port.get("nodePort") == front.port for port in spec.get("ports") or ()):
        kind = "NodePort"
    elif front.address in (spec.get("externalIPs") or ()):
        kind = "external IP"
    else:
        kind = "LoadBalancer address"
    scope = ", for clients outside this node and its Pods" if front.external else ""
    return f"{_text(front)} ({kind}{scope})"


def _text(front: Front) -> str:
    host = f"[{front.address}]" if ":" in front.address else front.address
    return f"{host}:{front.port}/{front.protocol}"


def _what(
    view: ServiceView, node: NodeView, fronts: Sequence[Front], target: Target | Broken | None
) -> Iterator[str]:
    if target is None:
        yield "      nothing: the kernel does not know this address"
    elif isinstance(target, Broken):
        yield f"      broken: {target.why}"
    elif target == "refuse":
        yield "      refuses at once (TCP reset, ICMP port unreachable): no endpoint is ready"
    elif target == "drop":
        yield "      stays silent: policy Local, and the endpoints are on other nodes"
    else:
        assert isinstance(target, Balance)
        yield f"      {_choice(target)}"
        if target.sticky_s:
            remembered = sum(node.remembered.get(front, 0) for front in fronts)
            yield (
                f"      a client keeps its endpoint until {_duration(target.sticky_s)} after its "
                f"last connection; remembered now: {remembered}"
            )
        yield from _slots(view, node, target)


def _choice(target: Balance) -> str:
    among = len(target.endpoints)
    if among == 1:
        return "every connection goes to"
    if target.counter:
        return f"connections go in turn to {among} endpoints"
    return f"each connection goes at random to one of {among} endpoints"


def _slots(view: ServiceView, node: NodeView, target: Balance) -> Iterator[str]:
    odds = f"{100 / len(target.endpoints):.1f} %"
    rows = []
    for slot, endpoint in enumerate(target.endpoints):
        pod, on_node = view.pod_of(endpoint)
        host = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
        place = "this node" if on_node == node.facts.name else on_node
        rows.append((str(slot), odds, f"{host}:{endpoint.port}", pod or "no Pod", place))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"        slot {'  '.join(cells).rstrip()}"


def _duration(seconds: int) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def describe_drift(drift: Drift) -> str:
    """One drift in words."""
    installed, wanted = drift.installed, drift.wanted
    if isinstance(installed, Broken):
        return f"the front {installed.why}"
    if installed is None:
        return f"missing in the kernel; it should {_short(wanted)}"
    if wanted is None:
        return f"the kernel should not know it, and does: it would {_short(installed)}"
    if isinstance(installed, Balance) and isinstance(wanted, Balance):
        return "; ".join(_differences(installed, wanted))
    return f"the kernel would {_short(installed)}, but should {_short(wanted)}"


def _differences(installed: Balance, wanted: Balance) -> Iterator[str]:
    missing = set(wanted.endpoints) - set(installed.endpoints)
    extra = set(installed.endpoints) - set(wanted.endpoints)
    if missing:
        yield f"the kernel lacks {_list(missing)}"
    if extra:
        yield f"the kernel has {_list(extra)}, which should not be there"
    if installed.sticky_s != wanted.sticky_s:
        yield f"clients are kept for {installed.sticky_s} s instead of {wanted.sticky_s} s"
    if installed.counter != wanted.counter:
        yield "the way of choosing is not the one that was asked for"


def _list(endpoints: set[Endpoint]) -> str:
    return ", ".join(f"{endpoint.address}:{endpoint.port}" for endpoint in sorted(endpoints))


def _short(target: Target | None) -> str:
    if isinstance(target, Balance):
        return f"choose among {len(target.endpoints)} endpoints"
    return "stay silent" if target == "drop" else "refuse"
