"""CEL as filters speak it: with an entry's variables, and the functions that Kubeshark adds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pilotfish.cel.environment import Environment
from pilotfish.cel.functions import FUNCTIONS as STANDARD
from pilotfish.cel.functions import Function, Overload
from pilotfish.cel.types import DYN, MAP, TIMESTAMP, Type, comparable, joined
from pilotfish.cel.values import Timestamp
from pilotfish.tap.filter.environment import VARIABLES

# Steps that all loops of a filter may take for one entry.
MAX_STEPS: Final = 20_000


def _map_get(mapping: dict[Any, Any], key: Any, default: Any) -> Any:
    return mapping.get(key, default)


def _value_of(given: Sequence[Type]) -> Type:
    mapping, key, default = given
    if mapping.name != "map":
        return DYN
    wanted, value = mapping.parameters
    if not comparable(wanted, key):
        raise ValueError(f"the keys of this map are of type {wanted}, not {key}")
    return joined([value, default])


def _now() -> Timestamp:
    return Timestamp(time.time_ns())


_MORE = (
    Function(
        "map_get",
        "the value of a key in a map, or the third argument when it has no such key",
        (Overload((MAP, DYN, DYN), DYN, _map_get, _value_of),),
    ),
    Function("now", "the time at which the filter was made", (Overload((), TIMESTAMP, _now),)),
)
FUNCTIONS: Mapping[str, Function] = {**STANDARD, **{each.name: each for each in _MORE}}
ENVIRONMENT: Final = Environment(VARIABLES, FUNCTIONS, MAX_STEPS, "a filter")
