"""Who speaks to whom, as the statistics tell them apart: workloads rather than Pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from pilotfish.tap.entry import Entry

EndKind = Literal["workload", "service", "node", "host", "external"]


class End(NamedTuple):
    """A workload, a Service, a node, the host, or an address outside.

    owner_kind: of a workload: Deployment, …; "Pod" for one that nobody controls.
    """

    kind: EndKind
    owner_kind: str
    namespace: str
    name: str

    @property
    def id(self) -> str:
        """The same for as long as the thing exists, and unlike all others."""
        return "/".join(part for part in self if part)


class Endpoint(NamedTuple):
    """Which one was chosen. An address alone does not tell: it is given to another Pod later."""

    ip: str
    name: str
    namespace: str


class Route(NamedTuple):
    """What the entries that are counted together have in common.

    Attributes:
        client: who asked.
        target: what was asked: a Service, or a workload (node, …) directly.
        backend: the workload that was chosen; None where nothing was.
        endpoint: which one of it.
        protocol: what was spoken.
    """

    client: End
    target: End
    backend: End | None
    endpoint: Endpoint | None
    protocol: str


def route(entry: Entry) -> Route:
    """The route of an entry."""
    chosen = entry.get("endpoint")
    backend, which = (None, None) if chosen is None else (client(chosen), endpoint(chosen))
    return Route(client(entry["src"]), target(entry["dst"]), backend, which, entry["protocol"])


def client(peer: dict[str, Any]) -> End:
    """The end that a peer of an entry is; of a Service's address too, what is behind it or not."""
    pod = peer.get("pod")
    if pod is not None:
        owner = pod.get("owner")
        if owner:
            return End("workload", owner["kind"], pod["namespace"], owner["name"])
        return End("workload", "Pod", pod["namespace"], pod["name"])
    kind = peer["kind"]
    if kind == "node":
        return End("node", "", "", peer["name"])
    if kind == "host":
        return End("host", "", "", "host")
    return End("external", "", "", peer["ip"])


def target(peer: dict[str, Any]) -> End:
    """The end that was asked: a Service where its address was."""
    service = peer.get("service")
    if service is not None:
        return End("service", "", service["namespace"], service["name"])
    return client(peer)


def endpoint(peer: dict[str, Any]) -> Endpoint:
    """What was chosen, told apart from all others."""
    pod = peer.get("pod")
    if pod is not None:
        return Endpoint(peer["ip"], pod["name"], pod["namespace"])
    return Endpoint(peer["ip"], peer["name"], "")
