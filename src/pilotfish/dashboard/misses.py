"""Names of Services that clients asked the DNS for, and that are nowhere.

A resolver goes through its search domains, so most names that do not exist mean nothing. What is
kept are those of the form NAME.NAMESPACE.svc.DOMAIN: somebody meant a Service.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pilotfish.tap.entry import Entry

MAX_NAMES = 500


class Miss(NamedTuple):
    """A name that does not exist. last: number of the bucket in which it was last asked for."""

    name: str
    namespace: str
    client: str
    times: int
    last: int


class Misses:
    """Bounded: of too many names those asked longest ago are forgotten."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, str, str], Miss] = OrderedDict()

    def add(self, entry: Entry, bucket: int) -> None:
        """Look at an entry of DNS."""
        if entry["status"] != "NXDOMAIN":
            return
        asked = _service_of((entry["request"] or {}).get("name", ""))
        if asked is None:
            return
        key = (*asked, _client(entry["src"]))
        before = self._found.pop(key, None)
        times = before.times + 1 if before is not None else 1
        self._found[key] = Miss(*key, times, bucket)
        if len(self._found) > MAX_NAMES:
            self._found.popitem(last=False)

    def since(self, bucket: int) -> list[Miss]:
        """Those that were asked for in that bucket or later."""
        return [miss for miss in self._found.values() if miss.last >= bucket]


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
