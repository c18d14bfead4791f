"""What is asked for in an address or a message: filters, times and numbers, checked. Pure.

People and programs write them: what is wrong is said in their words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pilotfish.dashboard.messages import FilterProblem
from pilotfish.dashboard.refusals import RefusedError
from pilotfish.dashboard.searching import Search
from pilotfish.tap.entry import Entry
from pilotfish.tap.filter import FilterError
from pilotfish.tap.filter import compile as compile_filter
from pilotfish.tap.history.history import micros
from pilotfish.tap.history.since import SinceError, parse_since

MAX_LIMIT = 10_000
DEFAULT_LIMIT = 1_000
_CURSOR = re.compile(r"([0-9]{1,17})-([0-9]{1,4})")


def search(
    query: Mapping[str, str], now_us: int, limit: int = DEFAULT_LIMIT, most: int = MAX_LIMIT
) -> Search:
    """The search that a query describes: filter, since, until, probes, limit.

    Args:
        query: parameters of the address.
        now_us: what "5m" is counted back from.
        limit: how many are meant where none is named.
        most: how many may be asked for.

    Raises:
        RefusedError: something in it means nothing.
    """
    try:
        wanted = compile_filter(query.get("filter", ""))
    except FilterError as error:
        raise RefusedError(
            400,
            f"the filter means nothing: {_said(error)}",
            f"line {error.line}, column {error.column} of the filter",
            "see docs/reference/filters.md for what it may say",
        ) from None
    return Search(
        wanted,
        moment_us(query, "since", now_us),
        moment_us(query, "until", now_us),
        flag(query, "probes"),
        number(query, "limit", limit, most),
    )


def moment_us(query: Mapping[str, str], name: str, now_us: int) -> int | None:
    """A time: microseconds since 1970; None where it is not said. Raises RefusedError."""
    text = query.get(name, "")
    if not text:
        return None
    try:
        return parse_since(text, now_us)
    except SinceError as error:
        raise RefusedError(400, str(error), name, "fix the parameter") from None


def time_us(query: Mapping[str, str], name: str) -> int:
    """A time in milliseconds since 1970 as microseconds. Raises RefusedError."""
    try:
        time_ms = float(query[name])
        if not math.isfinite(time_ms):
            raise ValueError
    except (KeyError, ValueError):
        raise RefusedError(
            400, f"{name} is no time in milliseconds since 1970", name, "give one"
        ) from None
    return round(time_ms * 1000)


def number(query: Mapping[str, str], name: str, otherwise: int, most: int, least: int = 1) -> int:
    """A number from `least` to `most`. Raises RefusedError."""
    text = query.get(name, "") or str(otherwise)
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    if not is_number or not least <= int(text) <= most:
        raise RefusedError(
            400, f"{name} is no number from {least} to {most}", name, "fix the parameter"
        )
    return int(text)


def flag(query: Mapping[str, str], name: str) -> bool:
    """Whether something is wanted. Raises RefusedError."""
    text = query.get(name, "") or "false"
    if text not in ("true", "false"):
        raise RefusedError(400, f"{name} is neither true nor false", name, "fix the parameter")
    return text == "true"


@dataclass(frozen=True)
class Cursor:
    """A place among entries in order of time.

    Attributes:
        at_us: the time of the last entry that was given.
        given: how many of just this time were given.
    """

    at_us: int
    given: int

    def __str__(self) -> str:
        return f"{self.at_us}-{self.given}"

    def behind(self, entries: list[Entry]) -> list[Entry]:
        """Of entries from this time on those that were not given yet."""
        same = sum(micros(entry["timestamp"]) == self.at_us for entry in entries)
        return entries[min(same, self.given) :]

    def moved(self, given: list[Entry]) -> Cursor:
        """The place behind these."""
        if not given:
            return self
        last_us = micros(given[-1]["timestamp"])
        same = sum(micros(entry["timestamp"]) == last_us for entry in given)
        return Cursor(last_us, same + (self.given if last_us == self.at_us else 0))


def cursor(query: Mapping[str, str]) -> Cursor | None:
    """The cursor that parameter `after` names, if there is one. Raises RefusedError."""
    text = query.get("after", "")
    if not text:
        return None
    parts = _CURSOR.fullmatch(text)
    if parts is None:
        raise RefusedError(
            400, "after is no place among entries", "after", "take what `next` said before"
        )
    return Cursor(int(parts[1]), int(parts[2]))


def filter_problem(error: FilterError, watch: int) -> FilterProblem:
    """What the page shows at the place in the filter."""
    return {
        "type": "filter_problem",
        "watch": watch,
        "message": _said(error),
        "line": error.line,
        "column": error.column,
        "end": error.end,
    }


def _said(error: FilterError) -> str:
    meant = f"; did you mean {error.suggestion}?" if error.suggestion else ""
    return f"{error.message}{meant}"
