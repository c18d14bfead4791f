"""Strings: parts, case, joining, formatting (cel-go's extension, version 2)."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.functions import Function, Overload
from pilotfish.cel.types import INT, LIST, STRING, STRINGS, Type
from pilotfish.cel.values import MAX_SIZE, Duration, Timestamp, string_of

_UPPER_TO_LOWER: Final = {ord(each): ord(each) + 32 for each in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_LOWER_TO_UPPER: Final = {lower: upper for upper, lower in _UPPER_TO_LOWER.items()}
# White space of Unicode, as Go's TrimSpace has it.
_SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def _char_at(text: str, at: int) -> str:
    if 0 <= at <= len(text):
        return text[at : at + 1]
    raise EvaluationError(f"index out of range: {at}")


def _index_of(text: str, part: str, start: int = 0) -> int:
    if not part:
        return start
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.find(part, start)


def _last_index_of(text: str, part: str, start: int | None = None) -> int:
    if start is None:
        return text.rfind(part)
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.rfind(part, 0, start + len(part)) if part else start


def _sized(text: str) -> str:
    if len(text) > MAX_SIZE:
        raise EvaluationError("too large")
    return text


def _replace(text: str, old: str, new: str, most: int = -1) -> str:
    count = text.count(old) if most < 0 else min(most, text.count(old))
    if len(text) + count * len(new) > MAX_SIZE:
        raise EvaluationError("too large")
    return text.replace(old, new, most)


def _split(text: str, separator: str, most: int = -1) -> list[str]:
    if most == 0:
        return []
    if most == 1:
        return [text]
    if separator:
        return text.split(separator, most - 1 if most > 0 else -1)
    if 0 < most < len(text):
        return [*text[: most - 1], text[most - 1 :]]
    return list(text)


def _substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else end
    if not 0 <= start <= len(text) or not 0 <= stop <= len(text):
        raise EvaluationError(f"index out of range: {start if end is None else end}")
    if start > stop:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {stop}")
    return text[start:stop]


def _join(texts: list[Any], separator: str = "") -> str:
    if not all(isinstance(each, str) for each in texts):
        raise EvaluationError("join is for strings")
    if sum(map(len, texts)) + len(separator) * len(texts) > MAX_SIZE:
        raise EvaluationError("too large")
    return separator.join(texts)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _format(template: str, arguments: list[Any]) -> str:
    """`"%s has %d".format([a, b])`; verbs s, d, f, e, b, x, X, o."""
    made: list[str] = []
    rest, used = template, 0
    while True:
        plain, found, rest = rest.partition("%")
        made.append(plain)
        if not found:
            return _sized("".join(made))
        if rest[:1] == "%":
            made.append("%")
            rest = rest[1:]
            continue
        precision = 6
        if rest[:1] == ".":
            digits = len(rest[1:]) - len(rest[1:].lstrip("0123456789"))
            precision, rest = min(int(rest[1 : 1 + digits] or 0), 100), rest[1 + digits :]
        if not rest:
            raise EvaluationError("unexpected end of string")
        if used >= len(arguments):
            raise EvaluationError(f"index {used} out of range")
        made.append(_formatted(rest[0], arguments[used], precision))
        rest, used = rest[1:], used + 1


def _formatted(verb: str, value: Any, precision: int) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if verb == "s":
        return _shown(value)
    if verb == "d" and is_number:
        return _shown(value)
    if verb in "fe" and is_number:
        if isinstance(value, float) and not math.isfinite(value):
            return _shown(value)
        return f"{float(value):.{precision}{verb}}"
    if verb == "b" and isinstance(value, bool):
        return "1" if value else "0"
    if verb in "xX" and isinstance(value, str | bytes):
        text = (value.encode() if isinstance(value, str) else value).hex()
        return text.upper() if verb == "X" else text
    if verb in "boxX" and isinstance(value, int):
        return f"{int(value):{verb}}"
    raise EvaluationError(f"could not format value with the verb {verb}")


def _shown(value: Any) -> str:
    """A value as `%s` shows it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        shown = sorted(f"{_shown(key)}: {_shown(item)}" for key, item in value.items())
        return "{" + ", ".join(shown) + "}"
    if value is None:
        return "null"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if isinstance(value, Timestamp | Duration):
        return str(value)
    return string_of(value)


def _method(name: str, doc: str, *overloads: Overload) -> Function:
    return Function(name, doc, overloads, is_global=False, is_method=True)


def _text(run: Any, *more: Type, result: Type = STRING) -> Overload:
    return Overload((STRING, *more), result, run)


FUNCTIONS: Final = (
    _method("charAt", "the character at an index", _text(_char_at, INT)),
    _method(
        "indexOf",
        "where a string is found first; -1 if it is not",
        _text(_index_of, STRING, result=INT),
        _text(_index_of, STRING, INT, result=INT),
    ),
    _method(
        "lastIndexOf",
        "where a string is found last; -1 if it is not",
        _text(_last_index_of, STRING, result=INT),
        _text(_last_index_of, STRING, INT, result=INT),
    ),
    _method(
        "join",
        "strings as one, with something between them",
        Overload((STRINGS,), STRING, _join),
        Overload((STRINGS, STRING), STRING, _join),
    ),
    _method(
        "lowerAscii",
        "with the letters A to Z in lower case",
        _text(lambda text: text.translate(_UPPER_TO_LOWER)),
    ),
    _method(
        "upperAscii",
        "with the letters a to z in upper case",
        _text(lambda text: text.translate(_LOWER_TO_UPPER)),
    ),
    _method(
        "replace",
        "with one string instead of another one, everywhere or so many times",
        _text(_replace, STRING, STRING),
        _text(_replace, STRING, STRING, INT),
    ),
    _method(
        "split",
        "the parts between separators",
        _text(_split, STRING, result=STRINGS),
        _text(_split, STRING, INT, result=STRINGS),
    ),
    _method(
        "substring",
        "the part from an index to another one, or to the end",
        _text(_substring, INT),
        _text(_substring, INT, INT),
    ),
    _method("trim", "without white space around it", _text(lambda text: text.strip(_SPACE))),
    _method(
        "format",
        "with the values of a list in the places of %s, %d, …",
        Overload((STRING, LIST), STRING, _format),
    ),
    Function("strings.quote", "in quotes", (Overload((STRING,), STRING, _quote),)),
    _method("reverse", "backwards", _text(lambda text: text[::-1])),
)
