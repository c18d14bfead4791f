"""RESP, the serialization protocol of Redis, versions 2 and 3: bytes → values.

Source: the protocol specification on redis.io. Values are read as their bytes
come; of large ones the beginning is kept, the rest is counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from pilotfish.tap.dissectors.pending import Pending
from pilotfish.tap.memory import PIECE_BYTES

MAX_LINE_BYTES = 64 * 1024
MAX_STRING_BYTES = 64 * 1024
# What is kept of one message in all; the rest is counted.
MAX_MESSAGE_BYTES = 256 * 1024
MAX_ITEMS = 1000
MAX_DEPTH = 32

_BULK = {b"$": "bulk", b"=": "verbatim", b"!": "error"}
_AGGREGATE = {b"*": "array", b"~": "set", b">": "push", b"%": "map", b"|": "attribute"}
_LINE = {
    b"+": "simple",
    b"-": "error",
    b":": "integer",
    b",": "double",
    b"(": "big number",
    b"#": "boolean",
    b"_": "null",
}


_LINE_END = re.compile(rb"\n")
# What nearly everybody says: short arrays of strings, and strings.
_array_head = re.compile(rb"\*(\d{1,3})\r\n").match
_string_head = re.compile(rb"\$(\d{1,4})\r\n").match


class Value(NamedTuple):
    """A RESP value.

    Attributes:
        kind: "simple", "error", "integer", "bulk", "array", "map", "push", …, or "inline".
        data: bytes of a string (or line), a list of values, or None for null.
        size: bytes on the wire of a whole message; 0 within one.
        attributes: what RESP3 tells about a message beside it: keys and values by turns.
    """

    kind: str
    data: Any
    size: int = 0
    attributes: tuple[Value, ...] = ()


class RespError(ValueError):
    """The bytes are no RESP."""


class _Open:
    """An aggregate whose items are to come."""

    __slots__ = ("items", "kind", "left", "stream")

    def __init__(self, kind: str, left: int, stream: bool = False) -> None:
        self.kind = kind
        self.left = left
        self.items: list[Value] = []
        self.stream = stream


class RespReader:
    """Cuts one side's bytes into values."""

    def __init__(self, inline: bool) -> None:
        """Make a reader; `inline`: lines that are no RESP are commands (as clients may send)."""
        self._inline = inline
        self._pending = Pending()
        self._stack: list[_Open] = []
        self._size = 0
        self._items = self._kept = 0
        self._attributes: tuple[Value, ...] = ()
        # Of a bulk string that is being read: its kind, bytes to come, bytes kept.
        self._bulk_kind = ""
        self._bulk_left = 0
        self._bulk = bytearray()

    @property
    def kept(self) -> int:
        """Bytes of a message that is not whole, about."""
        return len(self._pending) + self._kept + min(self._items, MAX_ITEMS) * PIECE_BYTES

    @property
    def is_between(self) -> bool:
        """Whether a new message begins with the next byte."""
        return not (self._pending or self._stack or self._bulk_kind or self._size)

    def feed(self, payload: bytes) -> list[Value]:
        """Take bytes; the messages that are whole now.

        Raises:
            RespError: for bytes that cannot be RESP. Nothing is remembered then.
        """
        data = self._pending.take(payload)
        messages: list[Value] = []
        at = 0
        while at < len(data):
            if self._bulk_kind:
                step = self._bulk_part(data, at, messages)
            elif not self._size and (end := _usual(data, at, messages)):
                step = end - at
            else:
                step = self._line(data, at, messages)
            if not step:
                self._pending.keep_until(data[at:], _LINE_END, 1, MAX_LINE_BYTES)
                break
            at += step
        return messages

    def reset(self) -> None:
        """Forget what was begun."""
        self._pending.clear()
        self._bulk_kind, self._bulk, self._bulk_left = "", bytearray(), 0
        self._begin_message()

    def _begin_message(self) -> None:
        self._stack, self._attributes = [], ()
        self._size = self._items = self._kept = 0

    def _line(self, data: bytes, at: int, messages: list[Value]) -> int:
        """Read a line that is or begins a value; how many bytes it took, 0: it is not whole."""
        end = data.find(b"\n", at)
        if end < 0:
            if len(data) - at > MAX_LINE_BYTES:
                self._fail("a line without end")
            return 0
        line = data[at:end].removesuffix(b"\r")
        step = end + 1 - at
        self._size += step
        mark, rest = line[:1], line[1:]
        if mark in _LINE:
            data_ = None if mark == b"_" else rest[:MAX_STRING_BYTES]
            self._value(Value(_LINE[mark], data_), messages)
        elif mark in _BULK:
            self._begin_bulk(_BULK[mark], rest, messages)
        elif mark in _AGGREGATE:
            self._begin_aggregate(_AGGREGATE[mark], rest, messages)
        elif mark == b"." and self._stack and self._stack[-1].stream:
            self._stack[-1].left = 0
            self._close(messages)
        elif self._inline and not self._stack and line and line.isascii():
            self._value(Value("inline", line[:MAX_STRING_BYTES]), messages)
        elif line or self._stack:
            self._fail(f"a value that begins with {mark!r}")
        else:
            self._size = 0  # an empty line between commands
        return step

    def _begin_bulk(self, kind: str, rest: bytes, messages: list[Value]) -> None:
        length = self._count(rest)
        if length < 0:
            self._value(Value("null", None), messages)
            return
        self._bulk_kind, self._bulk_left = kind, length + 2
        self._bulk = bytearray()

    def _begin_aggregate(self, kind: str, rest: bytes, messages: list[Value]) -> None:
        stream = rest == b"?"
        count = (1 << 62) if stream else self._count(rest)
        if count < 0:
            self._value(Value("null", None), messages)
            return
        if len(self._stack) >= MAX_DEPTH:
            self._fail("nested too deeply")
        self._stack.append(
            _Open(kind, count * 2 if kind in ("map", "attribute") else count, stream)
        )
        self._close(messages)

    def _count(self, text: bytes) -> int:
        if text == b"-1":
            return -1
        if not text.isdigit() or len(text) > 12:
            self._fail("a length that is no number")
        return int(text)

    def _bulk_part(self, data: bytes, at: int, messages: list[Value]) -> int:
        part = data[at : at + self._bulk_left]
        # The line end behind the string is part of what is left, but not of the string.
        text = part[: max(self._bulk_left - 2, 0)]
        room = min(MAX_STRING_BYTES - len(self._bulk), MAX_MESSAGE_BYTES - self._kept)
        if text and room > 0:
            self._bulk += text[:room]
            self._kept += len(text[:room])
        self._bulk_left -= len(part)
        self._size += len(part)
        if not self._bulk_left:
            value = Value(self._bulk_kind, bytes(self._bulk))
            self._bulk_kind, self._bulk = "", bytearray()
            self._value(value, messages)
        return len(part)

    def _value(self, value: Value, messages: list[Value]) -> None:
        """A value is whole: it belongs to the innermost aggregate, or is a message."""
        if not self._stack:
            messages.append(value._replace(size=self._size, attributes=self._attributes))
            self._begin_message()
            return
        top = self._stack[-1]
        top.left -= 1
        self._items += 1
        if self._items <= MAX_ITEMS:
            top.items.append(value)
        self._close(messages)

    def _close(self, messages: list[Value]) -> None:
        """Close the innermost aggregate if it is whole (and with it perhaps others)."""
        if not self._stack or self._stack[-1].left > 0:
            return
        top = self._stack.pop()
        if top.kind == "attribute":
            # It tells something about the value that follows, and is not one.
            if not self._stack:
                self._attributes = tuple(top.items)
            return
        self._value(Value(top.kind, top.items), messages)

    def _fail(self, why: str) -> None:
        self.reset()
        raise RespError(why)


def _usual(data: bytes, at: int, messages: list[Value]) -> int:
    """Read a message that is usual, and whole; where it ends, or 0 when it is not."""
    begin = at
    head = _array_head(data, at)
    items: list[Value] = []
    at = head.end() if head else at
    for _ in range(int(head[1]) if head else 1):
        string = _string_head(data, at)
        if string is None:
            return 0
        start = string.end()
        at = start + int(string[1]) + 2
        if at > len(data):
            return 0
        items.append(Value("bulk", data[start : at - 2]))
    size = at - begin
    messages.append(Value("array", items, size) if head else Value("bulk", items[0].data, size))
    return at


def text_of(data: bytes) -> str:
    """A string for people."""
    return data.decode("utf-8", "replace")


def json_of(value: Value) -> Any:
    """A value as JSON: maps become objects, errors their text."""
    if value.data is None:
        return None
    match value.kind:
        case "integer" | "big number":
            return int(value.data) if _is_integer(value.data) else text_of(value.data)
        case "double":
            return text_of(value.data)
        case "boolean":
            return value.data == b"t"
        case "verbatim":
            return text_of(value.data[4:])
        case "map":
            return json_of_pairs(value.data)
        case "array" | "set" | "push":
            return [json_of(item) for item in value.data]
    return text_of(value.data)


def json_of_pairs(values: Sequence[Value]) -> dict[str, Any]:
    """Keys and values by turns, as a JSON object."""
    pairs = zip(values[::2], values[1::2], strict=False)
    return {str(json_of(key)): json_of(item) for key, item in pairs}


def _is_integer(text: bytes) -> bool:
    return text.removeprefix(b"-").isdigit() and len(text) < 25
