"""CEL's literals: text → values.

https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax
"""

from __future__ import annotations

import re
from typing import Any

from pilotfish.cel.types import BYTES, DOUBLE, INT, STRING, UINT, Type
from pilotfish.cel.values import MAX_INT, MAX_UINT, Uint

_ESCAPE = re.compile(
    r"""\\(?:([abfnrtv\\?"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})"""
    r"""|([0-3][0-7]{2})|(.|\n|\Z))""",
)
_SIMPLE = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))
_PREFIX = re.compile(r"[rRbB]*")


class LiteralError(ValueError):
    """The literal has no value; the message says why."""


def number(text: str) -> tuple[Any, Type]:
    """The value and type of a number without its sign.

    The largest int is one too large: it may be about to be negated.
    """
    if text[-1] in "uU":
        value = int(text[:-1], 0 if text[:2] == "0x" else 10)
        if value > MAX_UINT:
            raise LiteralError("the number is too large for uint")
        return Uint(value), UINT
    if text[:2] == "0x":
        value = int(text, 16)
    elif text.isdigit():
        value = int(text)
    else:
        return float(text), DOUBLE
    if value > MAX_INT + 1:
        raise LiteralError("the number is too large for int")
    return value, INT


def string(text: str) -> tuple[Any, Type]:
    """The value and type of a string or bytes literal, prefix and quotes included."""
    match = _PREFIX.match(text)
    assert match is not None
    prefix = match[0].lower()
    quoted = text[match.end() :]
    size = 3 if quoted[:3] in ('"""', "'''") else 1
    body = quoted[size:-size]
    if "b" in prefix:
        return (body.encode() if "r" in prefix else _unescaped_bytes(body)), BYTES
    value = body if "r" in prefix else _unescaped(body)
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise LiteralError("a surrogate is no character")
    return value, STRING


def _unescaped(body: str) -> str:
    def replace(match: re.Match[str]) -> str:
        simple, byte, short, long, octal, bad = match.groups()
        if simple:
            return _SIMPLE.get(simple, simple)
        if bad is not None:
            raise LiteralError(f"\\{bad} is no escape sequence; write \\\\ for a backslash")
        code = int(octal, 8) if octal else int(byte or short or long, 16)
        if code > 0x10FFFF:
            raise LiteralError("there is no character of that number")
        return chr(code)

    return _ESCAPE.sub(replace, body)


def _unescaped_bytes(body: str) -> bytes:
    """In bytes, \\x and octal escapes are bytes, and other characters are UTF-8."""
    pieces = []
    at = 0
    for match in _ESCAPE.finditer(body):
        simple, byte, short, long, octal, bad = match.groups()
        pieces.append(body[at : match.start()].encode("utf-8", "surrogatepass"))
        at = match.end()
        if short or long or bad is not None:
            raise LiteralError(f"{match[0]} is no escape sequence of bytes")
        if simple:
            pieces.append(_SIMPLE.get(simple, simple).encode())
        else:
            pieces.append(bytes([int(octal, 8) if octal else int(byte, 16)]))
    pieces.append(body[at:].encode("utf-8", "surrogatepass"))
    return b"".join(pieces)
