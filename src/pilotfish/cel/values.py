"""CEL's values at run time, as Python's.

int, double, string, bytes, bool, null, list and map are int, float, str, bytes,
bool, None, list and dict; what Python has no type of its own for is a subclass
of int here, so that comparing stays a matter of C.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pilotfish.cel.errors import EvaluationError

MIN_INT, MAX_INT = -(1 << 63), (1 << 63) - 1
MAX_UINT = (1 << 64) - 1
# What expressions may build, characters, bytes or items: an expression is no program.
MAX_SIZE = 1 << 20

_SECOND = 1_000_000_000
_MIN_TIMESTAMP = -62_135_596_800 * _SECOND  # 0001-01-01T00:00:00Z
_MAX_TIMESTAMP = 253_402_300_800 * _SECOND - 1  # 9999-12-31T23:59:59.999999999Z
_MAX_DURATION = 315_576_000_000 * _SECOND  # ten thousand years
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_DURATION = re.compile(
    r"([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s|us|µs|μs|ns))+|[+-]?0", re.ASCII
)
_DURATION_PART = re.compile(r"(\d*)(?:\.(\d*))?(h|ms|m|s|us|µs|μs|ns)", re.ASCII)
_UNITS = {
    "h": 3600 * _SECOND,
    "m": 60 * _SECOND,
    "s": _SECOND,
    "ms": 1_000_000,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ns": 1,
}


class Uint(int):
    """An unsigned number of 64 bits."""

    __slots__ = ()


class Timestamp(int):
    """A moment: nanoseconds since 1970."""

    __slots__ = ()

    def __str__(self) -> str:
        seconds, nanos = divmod(int(self), _SECOND)
        at = _EPOCH + timedelta(seconds=seconds)
        return f"{at.strftime('%Y').zfill(4)}{at.strftime('-%m-%dT%H:%M:%S')}{_fraction(nanos)}Z"


class Duration(int):
    """A span of time: nanoseconds."""

    __slots__ = ()

    def __str__(self) -> str:
        seconds, nanos = divmod(abs(int(self)), _SECOND)
        return f"{'-' if self < 0 else ''}{seconds}{_fraction(nanos)}s"


class TypeName(NamedTuple):
    """A type as a value: what `type()` returns."""

    name: str


def _fraction(nanos: int) -> str:
    return f".{nanos:09d}".rstrip("0") if nanos else ""


def checked_int(value: int) -> int:
    """`value`, if it is an int of 64 bits."""
    if MIN_INT <= value <= MAX_INT:
        return value
    raise EvaluationError("int overflow")


def checked_uint(value: int) -> Uint:
    """`value`, if it is a uint of 64 bits."""
    if 0 <= value <= MAX_UINT:
        return Uint(value)
    raise EvaluationError("uint overflow")


def checked_timestamp(nanos: int) -> Timestamp:
    """The moment, if it lies in the years 1 to 9999."""
    if _MIN_TIMESTAMP <= nanos <= _MAX_TIMESTAMP:
        return Timestamp(nanos)
    raise EvaluationError("timestamp out of range")


def checked_duration(nanos: int) -> Duration:
    """The span, if it is not longer than ten thousand years."""
    if -_MAX_DURATION <= nanos <= _MAX_DURATION:
        return Duration(nanos)
    raise EvaluationError("duration out of range")


def divide(left: int, right: int) -> int:
    """Towards zero, as Go's and C's."""
    if not right:
        raise EvaluationError("division by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def remainder(left: int, right: int) -> int:
    """What `divide` leaves."""
    if not right:
        raise EvaluationError("division by zero")
    return left - right * divide(left, right)


def parse_timestamp(text: str) -> Timestamp:
    """RFC 3339 → moment."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise EvaluationError('a timestamp looks like "2026-03-14T22:00:00Z"')
    try:
        at = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00"))
        micros = (at - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise EvaluationError(f"there is no such time: {error}") from error
    return checked_timestamp(micros * 1000 + int((match[2] or "0").ljust(9, "0")))


def parse_duration(text: str) -> Duration:
    """A duration as Go writes it: "1h30m", "1.5s", "-250ms"."""
    if len(text) > 100 or _DURATION.fullmatch(text) is None:
        raise EvaluationError('a duration looks like "1h30m", "1.5s" or "250ms"')
    nanos = 0
    for whole, part, unit in _DURATION_PART.findall(text):
        nanos += int(whole or "0") * _UNITS[unit]
        if part:
            nanos += int(part) * _UNITS[unit] // 10 ** len(part)
    return checked_duration(-nanos if text[0] == "-" else nanos)


def timestamp_of_text(text: str) -> Timestamp:
    """An entry's timestamp, which is known to be one: UTC, with microseconds."""
    return Timestamp((datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND * 1000)


_TYPE_NAMES: dict[type, TypeName] = {
    bool: TypeName("bool"),
    int: TypeName("int"),
    Uint: TypeName("uint"),
    float: TypeName("double"),
    str: TypeName("string"),
    bytes: TypeName("bytes"),
    list: TypeName("list"),
    dict: TypeName("map"),
    Timestamp: TypeName("timestamp"),
    Duration: TypeName("duration"),
    TypeName: TypeName("type"),
    type(None): TypeName("null_type"),
}
TYPE_NAMES = tuple(each.name for each in _TYPE_NAMES.values())
_NUMBERS = (int, Uint, float)


def type_of(value: Any) -> TypeName:
    """The type of a value; dicts of any kind are maps, and others may name their `cel_type`."""
    found: TypeName | None = _TYPE_NAMES.get(type(value))
    if found is None:
        found = getattr(value, "cel_type", _TYPE_NAMES[dict])
    return found


def equal(left: Any, right: Any) -> bool:
    """CEL's ==, for values of any types: different ones are unequal, except numbers."""
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        return bool(left == right)
    if type_of(left) != type_of(right):
        return False
    if isinstance(left, list):
        if type(left) is not list or type(right) is not list:
            return bool(left == right)  # lists that say themselves what makes them equal
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict):
        if len(left) != len(right):
            return False
        return all(key in right and equal(value, right[key]) for key, value in left.items())
    return bool(left == right)


def int_of(value: Any) -> int:
    """int(value) of a number, text or moment."""
    if isinstance(value, Timestamp):
        return int(value) // _SECOND
    if isinstance(value, str):
        return checked_int(_digits(value, signed=True))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise EvaluationError("not a number that an int can be")
        return checked_int(int(value))
    return checked_int(int(value))


def uint_of(value: Any) -> Uint:
    """uint(value) of a number or text."""
    if isinstance(value, str):
        return checked_uint(_digits(value, signed=False))
    if isinstance(value, float) and not math.isfinite(value):
        raise EvaluationError("not a number that a uint can be")
    return checked_uint(int(value))


def _digits(text: str, signed: bool) -> int:
    if re.fullmatch(r"-?\d{1,20}" if signed else r"\d{1,20}", text, re.ASCII) is None:
        raise EvaluationError("the text is no whole number")
    return int(text)


def double_of(value: Any) -> float:
    """double(value) of a number or text."""
    if isinstance(value, str):
        if "_" in value or len(value) > 100:
            raise EvaluationError("the text is no number")
        try:
            return float(value)
        except ValueError as error:
            raise EvaluationError("the text is no number") from error
    return float(value)


def bool_of(value: Any) -> bool:
    """bool(value) of a bool or text."""
    if isinstance(value, bool):
        return value
    if value in ("true", "True", "TRUE", "t", "1"):
        return True
    if value in ("false", "False", "FALSE", "f", "0"):
        return False
    raise EvaluationError("the text is no bool")


def string_of(value: Any) -> str:
    """string(value) of anything simple."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise EvaluationError("the bytes are no UTF-8") from error
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def bytes_of(value: Any) -> bytes:
    """bytes(value) of text or bytes."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else bytes(value)
