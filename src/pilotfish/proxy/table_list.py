"""What a node's kernel holds at each front, as JSON for those who look from outside. Pure.

    {"front": "10.96.3.4:80/TCP", "rule": "random", "slots": ["10.244.0.7:8080"],
     "service": "default/web"}

`explain` says the same of one Service in words, for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NotRequired, TypedDict

from pilotfish.proxy.explain import describe_drift
from pilotfish.proxy.fronts import Balance, Endpoint, Front, Target
from pilotfish.proxy.reading import Broken, drift

# Who asked for a front ("Service default/web", "Pod default/web-1"), and for what.
Written = Mapping[Front, tuple[str, Target]]


class FrontRow(TypedDict):
    """One front.

    rule: how a slot is chosen (`random`, `round-robin`), or what else happens (`reject`, `drop`;
    `none`: the kernel does not know the front). sticky_s: for how long a client keeps its slot.
    external: only for clients outside the node and its Pods. drift: where the kernel differs from
    what the proxy wrote.
    """

    front: str
    rule: str
    slots: list[str]
    sticky_s: NotRequired[int]
    external: NotRequired[bool]
    service: NotRequired[str]
    pod: NotRequired[str]
    drift: NotRequired[str]


def rows(installed: Mapping[Front, Target | Broken], written: Written) -> list[FrontRow]:
    """Every front that the kernel holds, or should hold, in order.

    Args:
        installed: as read from the kernel.
        written: what the proxy has written last.
    """
    wanted = {front: target for front, (_, target) in written.items()}
    drifts = {each.front: describe_drift(each) for each in drift(installed, wanted)}
    found = []
    for front in sorted({*installed, *written}):
        row = _row(front, installed.get(front))
        kind, _, key = written[front][0].partition(" ") if front in written else ("", "", "")
        if kind == "Service":
            row["service"] = key
        elif kind == "Pod":
            row["pod"] = key
        if front in drifts:
            row["drift"] = drifts[front]
        found.append(row)
    return found


def has_drift(found: Iterable[FrontRow]) -> bool:
    """Whether the kernel differs anywhere."""
    return any("drift" in row for row in found)


def _row(front: Front, target: Target | Broken | None) -> FrontRow:
    row: FrontRow = {"front": _front(front), "rule": "none", "slots": []}
    if front.external:
        row["external"] = True
    if isinstance(target, Balance):
        row["rule"] = "round-robin" if target.counter else "random"
        row["slots"] = [_endpoint(endpoint) for endpoint in target.endpoints]
        if target.sticky_s:
            row["sticky_s"] = target.sticky_s
    elif isinstance(target, str):
        row["rule"] = "reject" if target == "refuse" else target
    return row


def _front(front: Front) -> str:
    return f"{_endpoint(Endpoint(front.address, front.port))}/{front.protocol.upper()}"


def _endpoint(endpoint: Endpoint) -> str:
    host = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    return f"{host}:{endpoint.port}"
