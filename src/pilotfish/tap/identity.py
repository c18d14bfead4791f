"""Addresses → Pods, Services, nodes, the host, as they were at a moment.

An address is used again by another Pod soon after its first one is gone, so each name holds for a
span of time, and spans that ended are remembered for a while: packets are looked at later than
they were sent. Pure: fed with object changes and their times; `naming` feeds it from the API.
"""

from __future__ import annotations

import socket
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pilotfish.objects.meta import (
    Object,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from pilotfish.objects.pods import host_node, is_terminal, pod_ips, workload
from pilotfish.objects.times import parse_time

Key = TypeVar("Key", bound=Hashable)
Named = TypeVar("Named")

# Ended spans are kept for as long as a packet may wait to be looked at, and a little for people.
REMEMBERED_S = 600.0
MAX_REMEMBERED = 10_000

# Resolvers keep answers about a cluster's names for up to 30 s. A client that goes on using an
# address for longer has asked nobody lately.
LOOK_UP_LINKED_S = 60.0
MAX_LOOK_UPS = 20_000


@dataclass(slots=True)
class _Span(Generic[Named]):
    named: Named
    begin_s: float
    end_s: float | None = None


class Spans(Generic[Key, Named]):
    """Who had a key when: at most one holder at a time, the last ones remembered."""

    def __init__(self) -> None:
        self._spans: dict[Key, list[_Span[Named]]] = {}
        self._ended: deque[tuple[float, Key]] = deque()

    def begin(self, key: Key, named: Named, since_s: float, time_s: float) -> None:
        """`named` has the key, as is heard at `time_s`; who had it before has it no more."""
        self.end(key, time_s)
        spans = self._spans.setdefault(key, [])
        before = spans[-1].end_s if spans else None
        spans.append(_Span(named, since_s if before is None else max(since_s, before)))

    def renew(self, key: Key, named: Named) -> None:
        """The present holder is described again."""
        self._spans[key][-1].named = named

    def end(self, key: Key, time_s: float) -> None:
        """Nobody has the key from now on."""
        spans = self._spans.get(key)
        if spans and spans[-1].end_s is None:
            spans[-1].end_s = time_s
            self._ended.append((time_s, key))
        self._forget(time_s)

    def present(self, key: Key) -> Named | None:
        """Who has the key now."""
        spans = self._spans.get(key)
        return spans[-1].named if spans and spans[-1].end_s is None else None

    def at(self, key: Key, time_s: float) -> Named | None:
        """Who had the key at that moment.

        In a gap it is who had it before: a connection's last packets may come after its Pod.
        Before the first span it is the first: it was there before we heard of it.
        """
        spans = self._spans.get(key)
        if not spans:
            return None
        for span in reversed(spans):
            if span.begin_s <= time_s:
                return span.named
        return spans[0].named

    def _forget(self, time_s: float) -> None:
        while self._ended and (
            len(self._ended) > MAX_REMEMBERED or self._ended[0][0] < time_s - REMEMBERED_S
        ):
            _, key = self._ended.popleft()
            spans = self._spans[key]
            spans.pop(0)  # spans of one key end in their order
            if not spans:
                del self._spans[key]


@dataclass(frozen=True, slots=True)
class _Pod:
    uid: str
    described: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Front:
    """What a Service is reached at: `described` has its name, namespace, type and port."""

    uid: str
    described: dict[str, Any]


_At = tuple[str, int, str]  # address, port, "tcp" | "udp" | "sctp"


class Identity:
    """Names addresses. Times are seconds since 1970; addresses are text.

    The dicts returned are shared and must not be changed.
    """

    def __init__(self, host_addresses: Iterable[str] = ()) -> None:
        """Make one that knows nothing but which addresses belong to the machine."""
        self._hosts = frozenset(host_addresses)
        self._pods: Spans[str, _Pod] = Spans()
        self._nodes: Spans[str, str] = Spans()
        self._fronts: Spans[_At, _Front] = Spans()
        # By address, for what reaches a Service at a port that it does not have.
        self._service_addresses: Spans[str, _Front] = Spans()
        self._node_ports: Spans[tuple[int, str], _Front] = Spans()
        self._look_ups: OrderedDict[tuple[str, str], tuple[float, dict[str, Any]]] = OrderedDict()

    # --- objects ---------------------------------------------------------------------------

    def pod_changed(self, old: Object | None, new: Object | None, time_s: float) -> None:
        """A Pod came, changed, or went."""
        had = {address: uid_of(old) for address in _own_addresses(old)} if old else {}
        has = set(_own_addresses(new)) if new else set()
        for address, uid in had.items():
            holder = self._pods.present(address)
            if address not in has and holder is not None and holder.uid == uid:
                self._pods.end(address, time_s)
        for address in has:
            assert new is not None
            pod = _Pod(uid_of(new), _describe_pod(new))
            holder = self._pods.present(address)
            if holder is not None and holder.uid == pod.uid:
                self._pods.renew(address, pod)
            elif holder is None or not is_deleting(new):
                self._pods.begin(address, pod, _since(new, old, time_s), time_s)

    def node_changed(self, old: Object | None, new: Object | None, time_s: float) -> None:
        """A Node came, changed, or went."""
        had = set(node_addresses(old)) if old else set()
        has = set(node_addresses(new)) if new else set()
        for address in had - has:
            self._nodes.end(address, time_s)
        for address in has - had:
            assert new is not None
            self._nodes.begin(address, name_of(new), time_s, time_s)

    def service_changed(self, old: Object | None, new: Object | None, time_s: float) -> None:
        """A Service came, changed, or went."""
        had, has = _fronts(old), _fronts(new)
        for spans, of in (
            (self._fronts, "fronts"),
            (self._node_ports, "node_ports"),
            (self._service_addresses, "addresses"),
        ):
            _follow(spans, getattr(had, of), getattr(has, of), time_s)

    # --- names -----------------------------------------------------------------------------

    def client(self, address: str, port: int, time_s: float) -> dict[str, Any]:
        """Who spoke from an address: `ip`, `port`, `name`, `kind` and, where they fit, `pod`,
        `node`.
        """
        found: dict[str, Any] = {"ip": address, "port": port}
        pod = self._pods.at(address, time_s)
        if pod is not None:
            return found | {"name": pod.described["name"], "kind": "pod", "pod": pod.described}
        node = self._nodes.at(address, time_s)
        if node is not None:
            return found | {"name": node, "kind": "node", "node": {"name": node}}
        if address in self._hosts:
            return found | {"name": "host", "kind": "host"}
        return found | {"name": address, "kind": "external"}

    def server(self, address: str, port: int, protocol: str, time_s: float) -> dict[str, Any]:
        """Who was spoken to at an address and port; as `client`, and `service`.

        Args:
            protocol: of the transport: "tcp" or "udp".
        """
        found = self.client(address, port, time_s)
        if found["kind"] == "pod":
            return found
        front = self._fronts.at((address, port, protocol), time_s)
        if front is None and found["kind"] == "node":
            front = self._node_ports.at((port, protocol), time_s)
        elif front is None:
            front = self._service_addresses.at(address, time_s)
        if front is None:
            return found
        service = front.described
        return found | {"name": service["name"], "kind": "service", "service": service}

    # --- DNS -------------------------------------------------------------------------------

    def note_look_up(
        self, client: str, answers: Iterable[str], look_up: dict[str, Any], time_s: float
    ) -> None:
        """`client` asked for a name and was told these addresses.

        Args:
            look_up: what `look_up` returns for connections that this leads to.
        """
        for address in answers:
            self._look_ups[client, address] = (time_s, look_up)
            self._look_ups.move_to_end((client, address))
        while len(self._look_ups) > MAX_LOOK_UPS:
            self._look_ups.popitem(last=False)

    def look_up(self, client: str, address: str, time_s: float) -> dict[str, Any] | None:
        """The look-up that told `client` this address lately, before that moment."""
        told_s, found = self._look_ups.get((client, address), (0.0, None))
        return found if told_s <= time_s <= told_s + LOOK_UP_LINKED_S else None


@dataclass(frozen=True, slots=True)
class _Fronts:
    fronts: dict[_At, _Front]
    node_ports: dict[tuple[int, str], _Front]
    addresses: dict[str, _Front]


def _follow(
    spans: Spans[Key, _Front], had: dict[Key, _Front], has: dict[Key, _Front], time_s: float
) -> None:
    for key, front in had.items():
        holder = spans.present(key)
        if key not in has and holder is not None and holder.uid == front.uid:
            spans.end(key, time_s)
    for key, front in has.items():
        holder = spans.present(key)
        if holder is None or holder.uid != front.uid:
            spans.begin(key, front, time_s - HEARD_LATE_S, time_s)
        elif holder != front:
            spans.renew(key, front)


def _fronts(service: Object | None) -> _Fronts:
    """Where a Service is reached, https://kubernetes.io/docs/concepts/services-networking/."""
    found = _Fronts({}, {}, {})
    if service is None:
        return found
    spec = service.get("spec") or {}
    common = {
        "name": name_of(service),
        "namespace": namespace_of(service),
        "labels": labels_of(service),
        "type": spec.get("type", "ClusterIP"),
    }
    uid = uid_of(service)
    addresses = service_addresses(service)
    for address in addresses:
        found.addresses[address] = _Front(uid, common | {"port": ""})
    for port in spec.get("ports") or ():
        front = _Front(uid, common | {"port": port.get("name") or str(port["port"])})
        protocol = port.get("protocol", "TCP").lower()
        for address in addresses:
            found.fronts[address, port["port"], protocol] = front
        if port.get("nodePort"):
            found.node_ports[port["nodePort"], protocol] = front
    return found


def service_addresses(service: Object) -> list[str]:
    """A Service's own addresses: ClusterIPs, external ones, and its load balancer's."""
    spec = service.get("spec") or {}
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    addresses = [
        *(spec.get("clusterIPs") or [spec.get("clusterIP", "")]),
        *(spec.get("externalIPs") or ()),
        *(each.get("ip", "") for each in ingress),
    ]
    return [address for address in addresses if address and address != "None"]


def node_addresses(node: Object) -> list[str]:
    """A Node's own addresses: those of its status, and the first of each of its Pod ranges.

    The latter is what a node speaks from to its own Pods.
    """
    found = [
        entry["address"]
        for entry in (node.get("status") or {}).get("addresses") or ()
        if entry.get("type") in ("InternalIP", "ExternalIP")
    ]
    spec = node.get("spec") or {}
    ranges = spec.get("podCIDRs") or [spec.get("podCIDR", "")]
    return found + [_first_address(pod_range) for pod_range in ranges if pod_range]


def _first_address(network: str) -> str:
    address, _, _ = network.partition("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    first = (int.from_bytes(packed, "big") + 1).to_bytes(len(packed), "big")
    return socket.inet_ntop(family, first)


def _own_addresses(pod: Object | None) -> list[str]:
    """The addresses that are this Pod's alone: none for Pods on the host's network."""
    if pod is None or (pod.get("spec") or {}).get("hostNetwork") or is_terminal(pod):
        return []
    return pod_ips(pod)


def _describe_pod(pod: Object) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": name_of(pod),
        "namespace": namespace_of(pod),
        "labels": labels_of(pod),
        "node": host_node(pod),
    }
    owner = workload(pod)
    if owner is not None:
        kind, name = owner
        described["owner"] = {"kind": kind, "name": name}
    return described


def _since(pod: Object, old: Object | None, time_s: float) -> float:
    """When a Pod's address became its own: heard of later than it was so, by a few milliseconds.

    A Pod seen for the first time with its address may have had it for long.
    """
    if old is not None:
        return time_s - HEARD_LATE_S
    created = pod["metadata"].get("creationTimestamp")
    return min(parse_time(created).timestamp(), time_s) if created else time_s


# Between the kubelet's giving an address and our hearing of it the Pod may have spoken already.
HEARD_LATE_S = 1.0
