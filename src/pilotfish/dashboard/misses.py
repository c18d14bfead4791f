"""What clients asked for in vain: names of Services that are nowhere, ports that Services lack.

A resolver goes through its search domains, so most names that do not exist mean nothing. What is
kept are those of the form NAME.NAMESPACE.svc.DOMAIN: somebody meant a Service.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pilotfish.tap.entry import Entry

MAX_KEPT = 500


class Miss(NamedTuple):
    """A name that does not exist. last: number of the bucket in which it was last asked for."""

    name: str
    namespace: str
    client: str
    times: int
    last: int


class WrongPort(NamedTuple):
    """A port at which a Service was asked and that it does not have."""

    service: str
    namespace: str
    port: int
    client: str
    times: int
    last: int


class Misses:
    """Bounded: of too many names, or ports, those asked longest ago are forgotten."""

    def __init__(self) -> None:
        self._names: OrderedDict[tuple[str, str, str], Miss] = OrderedDict()
        self._ports: OrderedDict[tuple[str, str, int, str], WrongPort] = OrderedDict()

    def add_name(self, entry: Entry, bucket: int) -> None:
        """Look at an entry of DNS."""
        if entry["status"] != "NXDOMAIN":
            return
        asked = _service_of((entry["request"] or {}).get("name", ""))
        if asked is None:
            return
        key = (*asked, _client(entry["src"]))
        before = self._names.pop(key, None)
        self._names[key] = Miss(*key, before.times + 1 if before is not None else 1, bucket)
        if len(self._names) > MAX_KEPT:
            self._names.popitem(last=False)

    def add_port(self, entry: Entry, bucket: int) -> None:
        """Look at the first entry of a connection to a Service."""
        service = entry["dst"]["service"]
        if service["port"] != "":
            return
        client = _client(entry["src"])
        key = (service["name"], service["namespace"], entry["dst"]["port"], client)
        before = self._ports.pop(key, None)
        self._ports[key] = WrongPort(*key, before.times + 1 if before is not None else 1, bucket)
        if len(self._ports) > MAX_KEPT:
            self._ports.popitem(last=False)

    def names(self, since: int) -> list[Miss]:
        """Names that were asked for in that bucket or later."""
        return [miss for miss in self._names.values() if miss.last >= since]

    def ports(self, since: int) -> list[WrongPort]:
        """Ports that were asked in that bucket or later."""
        return [miss for miss in self._ports.values() if miss.last >= since]


def _service_of(name: str) -> tuple[str, str] | None:
    """(name, namespace) of the Service that a DNS name is of, by its form."""
    labels = name.lower().removesuffix(".").split(".")
    if len(labels) < 4 or labels[2] != "svc":
        return None
    return labels[0], labels[1]


def _client(peer: dict[str, Any]) -> str:
    """How people call who asked."""
    pod = peer.get("pod")
    if pod is None:
        return str(peer["name"])
    owner = pod.get("owner")
    return f"{owner['kind']} {owner['name']}" if owner else f"Pod {pod['name']}"
