"""What the kernel's maps say, put together again: elements → fronts and their targets.

The reverse of `fronts.elements`, for those who look at a node's tables from outside. What does not
fit together (a slot without an element, a chain of another size) comes back as `Broken`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pilotfish.proxy.fronts import At, Balance, Endpoint, Front, Key, Target, Value

Maps = Mapping[str, Mapping[Key, Value | str]]

# The maps that `fronts` wants to see.
FRONT_MAPS = (
    *("services", "external-services", "refused", "external-refused", "sticky"),
    *("endpoints", "external-endpoints", "turn-endpoints", "external-turn-endpoints"),
)
_CHAIN = re.compile(r"(?P<scope>external-)?(?P<kind>lb|turn)-(?P<among>\d+)(/(?P<counter>.+))?")


@dataclass(frozen=True)
class Broken:
    """A front whose elements do not fit together; `why` says in words what is wrong."""

    why: str


@dataclass(frozen=True)
class Drift:
    """Where the kernel does not hold what it should: None stands for nothing at all."""

    front: Front
    installed: Target | Broken | None
    wanted: Target | None


def fronts(maps: Maps) -> dict[Front, Target | Broken]:
    """Every front that the kernel knows, and what happens there."""
    slots = {name: _slots(maps.get(name, {})) for name in FRONT_MAPS if name.endswith("endpoints")}
    sticky = {_at(key): str(value) for key, value in maps.get("sticky", {}).items()}
    found: dict[Front, Target | Broken] = {}
    for external, scope in ((False, ""), (True, "external-")):
        for key, value in maps.get(f"{scope}refused", {}).items():
            found[Front(*_at(key), external=external)] = "drop" if value == "drop" else "refuse"
        for key, value in maps.get(f"{scope}services", {}).items():
            at = _at(key)
            found[Front(*at, external=external)] = _target(str(value), scope, at, slots, sticky)
    return found


def _target(
    chain: str,
    scope: str,
    at: At,
    slots: Mapping[str, Mapping[At, Mapping[int, Endpoint]]],
    sticky: Mapping[At, str],
) -> Target | Broken:
    match = _CHAIN.fullmatch(chain)
    if match is None:
        return Broken(f"goes to chain {chain}, which the proxy does not make")
    among = int(match["among"])
    name = f"{scope}{'turn-' if match['kind'] == 'turn' else ''}endpoints"
    here = slots[name].get(at, {})
    missing = [str(slot) for slot in range(among) if slot not in here]
    if missing:
        word = "slot" if len(missing) == 1 else "slots"
        return Broken(f"goes to chain {chain}, but has no endpoint at {word} {', '.join(missing)}")
    if len(here) > among:
        return Broken(f"goes to chain {chain}, but has {len(here)} endpoints")
    timeout_s = int(sticky[at].removeprefix("remember-")) if at in sticky else 0
    return Balance(tuple(here[slot] for slot in range(among)), timeout_s, match["counter"] or "")


def _slots(elements: Mapping[Key, Value | str]) -> dict[At, dict[int, Endpoint]]:
    found: dict[At, dict[int, Endpoint]] = {}
    for key, value in elements.items():
        if isinstance(value, Endpoint):
            found.setdefault(_at(key), {})[int(key[3])] = value
    return found


def _at(key: Key) -> At:
    return str(key[0]), str(key[1]), int(key[2])


def drift(
    installed: Mapping[Front, Target | Broken], wanted: Mapping[Front, Target]
) -> list[Drift]:
    """Where the two differ; the order of endpoints does not count."""
    return [
        Drift(front, installed.get(front), wanted.get(front))
        for front in _in_order({*installed, *wanted})
        if not _same(installed.get(front), wanted.get(front))
    ]


def _in_order(found: Iterable[Front]) -> list[Front]:
    return sorted(found, key=lambda front: (front.address, front.port, front.protocol, front[3]))


def _same(installed: Target | Broken | None, wanted: Target | None) -> bool:
    if not isinstance(installed, Balance) or not isinstance(wanted, Balance):
        return installed == wanted
    return (
        sorted(installed.endpoints) == sorted(wanted.endpoints)
        and installed.sticky_s == wanted.sticky_s
        and installed.counter == wanted.counter
    )
