"""CEL's standard functions: for which types, and what they do.

https://github.com/google/cel-spec/blob/master/doc/langdef.md, "List of Standard Definitions".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from pilotfish.cel import regex, values
from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    LIST,
    MAP,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Type,
)
from pilotfish.cel.values import Duration, Timestamp, checked_timestamp, divide, remainder


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function.

    Attributes:
        parameters: the types that it takes.
        result: the type of what it returns.
        run: does it; raises EvaluationError.
        result_of: a more exact type of the result, given the arguments'; raises ValueError
            for types that do not go together.
    """

    parameters: tuple[Type, ...]
    result: Type
    run: Callable[..., Any]
    result_of: Callable[[Sequence[Type]], Type] | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function.

    Attributes:
        name: its name.
        doc: what it does, in a line.
        overloads: the ways to call it.
        is_global, is_method: whether it is called f(x), and x.f().
        has_syntax: whether its first argument is a text of some form, to be checked early.
    """

    name: str
    doc: str
    overloads: tuple[Overload, ...]
    is_global: bool = True
    is_method: bool = False
    has_syntax: bool = False


def _matches(text: str, pattern: str) -> bool:
    try:
        return regex.searcher(pattern)(text)
    except regex.RegexError as error:
        raise EvaluationError(str(error)) from error


def _zone(name: str) -> tzinfo:
    """A time zone by its IANA name, or by its distance from UTC: "+05:30"."""
    sign, numbers = (-1, name[1:]) if name[:1] == "-" else (1, name.removeprefix("+"))
    hours, colon, minutes = numbers.partition(":")
    try:
        if colon:
            return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise EvaluationError(f"there is no time zone {name}") from error


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _local(moment: Timestamp, zone: str) -> datetime:
    try:
        at = _EPOCH + timedelta(microseconds=int(moment) // 1000)
        return at.astimezone(_zone(zone)) if zone else at
    except OverflowError as error:
        raise EvaluationError("timestamp out of range") from error


def _part(read: Callable[[datetime], int]) -> tuple[Overload, ...]:
    """A part of a moment, in UTC or in a time zone."""
    return (
        Overload((TIMESTAMP,), INT, lambda moment: read(_local(moment, ""))),
        Overload((TIMESTAMP, STRING), INT, lambda moment, zone: read(_local(moment, zone))),
    )


def _whole(nanos: int) -> Overload:
    """A duration in whole units, towards zero."""
    return Overload((DURATION,), INT, lambda span: divide(int(span), nanos))


def _day_of_week(at: datetime) -> int:
    return at.isoweekday() % 7


def _day_of_year(at: datetime) -> int:
    return at.timetuple().tm_yday - 1


def _size(value: Any) -> int:
    return len(value)


def _identity(value: Any) -> Any:
    return value


def _one(name: str, doc: str, result: Type, run: Callable[[Any], Any], *given: Type) -> Function:
    overloads = tuple(Overload((each,), result, run) for each in given)
    return Function(name, doc, overloads, has_syntax=name in ("timestamp", "duration"))


def _text(
    name: str, doc: str, run: Callable[[str, str], bool], is_global: bool = False
) -> Function:
    return Function(name, doc, (Overload((STRING, STRING), BOOL, run),), is_global, True)


def _time(name: str, doc: str, *overloads: Overload) -> Function:
    return Function(name, doc, overloads, False, True)


_NUMBERS = (INT, UINT, DOUBLE)
_SIZED = (STRING, BYTES, LIST, MAP)

FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function(
            "size",
            "characters of a string, bytes, items of a list, or keys of a map",
            tuple(Overload((each,), INT, _size) for each in _SIZED),
            is_method=True,
        ),
        _text("contains", "whether a string has another one in it", operator.contains),
        _text("startsWith", "whether a string begins with another one", str.startswith),
        _text("endsWith", "whether a string ends with another one", str.endswith),
        _text("matches", "whether a regular expression (RE2) is found in a string", _matches, True),
        _one(
            "timestamp",
            "a moment, of RFC 3339 or of seconds since 1970",
            TIMESTAMP,
            lambda value: (
                checked_timestamp(value * 10**9)
                if type(value) is int
                else (value if isinstance(value, Timestamp) else values.parse_timestamp(value))
            ),
            STRING,
            INT,
            TIMESTAMP,
        ),
        _one(
            "duration",
            'a span of time: "1h30m", "250ms"',
            DURATION,
            lambda value: value if isinstance(value, Duration) else values.parse_duration(value),
            STRING,
            DURATION,
        ),
        _one(
            "int",
            "a whole number; of a timestamp its seconds since 1970",
            INT,
            values.int_of,
            *(*_NUMBERS, STRING, TIMESTAMP),
        ),
        _one("uint", "an unsigned number", UINT, values.uint_of, *(*_NUMBERS, STRING)),
        _one("double", "a floating-point number", DOUBLE, values.double_of, *(*_NUMBERS, STRING)),
        _one("bool", "a truth value", BOOL, values.bool_of, BOOL, STRING),
        _one(
            "string",
            "the value as text",
            STRING,
            values.string_of,
            *(*_NUMBERS, BOOL, STRING, BYTES, TIMESTAMP, DURATION),
        ),
        _one("bytes", "a text as UTF-8", BYTES, values.bytes_of, STRING, BYTES),
        _one("type", "the type of a value", TYPE, values.type_of, DYN),
        _one("dyn", "the value, without its type being checked", DYN, _identity, DYN),
        _time("getFullYear", "the year", *_part(lambda at: at.year)),
        _time("getMonth", "the month, from 0", *_part(lambda at: at.month - 1)),
        _time("getDate", "the day of the month, from 1", *_part(lambda at: at.day)),
        _time("getDayOfMonth", "the day of the month, from 0", *_part(lambda at: at.day - 1)),
        _time("getDayOfWeek", "the day of the week, 0 is Sunday", *_part(_day_of_week)),
        _time("getDayOfYear", "the day of the year, from 0", *_part(_day_of_year)),
        _time(
            "getHours",
            "the hour; of a duration its whole hours",
            *_part(lambda at: at.hour),
            _whole(3600 * 10**9),
        ),
        _time(
            "getMinutes",
            "the minute; of a duration its whole minutes",
            *_part(lambda at: at.minute),
            _whole(60 * 10**9),
        ),
        _time(
            "getSeconds",
            "the second; of a duration its whole seconds",
            *_part(lambda at: at.second),
            _whole(10**9),
        ),
        _time(
            "getMilliseconds",
            "milliseconds within the second",
            *_part(lambda at: at.microsecond // 1000),
            Overload((DURATION,), INT, lambda span: remainder(divide(int(span), 10**6), 1000)),
        ),
    )
}
