"""Messages of Protocol Buffers, read without their schema.

The wire format tells numbers and widths of fields, not their names, nor whether bytes are a text,
bytes or another message: that is a guess, the first that fits in the order message, text, bytes.
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import math
import struct
from typing import Any

from pilotfish.tap.dissectors.http_message import decoded

# People look at them: what nobody would read is left out.
MAX_MESSAGES = 20
MAX_FIELDS = 500
MAX_DEPTH = 12
MAX_BYTES_SHOWN = 256

_PREFIX = struct.Struct(">BI")  # gRPC: whether the message is compressed, and its length
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# JSON's readers keep whole numbers to here (RFC 8259, section 6).
_MAX_EXACT = 2**53 - 1

Field = dict[str, Any]


class NotProtobufError(ValueError):
    """The bytes are no message."""


def grpc_messages(body: bytes, coding: str) -> list[dict[str, Any]]:
    """The length-prefixed messages of a gRPC body, as far as it was kept.

    Args:
        body: with the prefixes.
        coding: value of the header grpc-encoding: how compressed messages are.

    Returns:
        For each message `fields` (see `read`); or `hex` and `problem`: its first bytes, and why
        there are no fields.
    """
    messages: list[dict[str, Any]] = []
    at = 0
    while at + _PREFIX.size <= len(body) and len(messages) < MAX_MESSAGES:
        compressed, size = _PREFIX.unpack_from(body, at)
        at += _PREFIX.size
        content = body[at : at + size]
        at += size
        messages.append(_message(content, size, coding if compressed else ""))
    return messages


def _message(content: bytes, size: int, coding: str) -> dict[str, Any]:
    shown = content[:MAX_BYTES_SHOWN].hex()
    if len(content) < size:
        return {"hex": shown, "problem": "only its beginning was kept"}
    if coding in ("gzip", "deflate"):
        unpacked = decoded(content, coding)
        if unpacked is content:
            return {"hex": shown, "problem": f"it cannot be unpacked as {coding}"}
        content = unpacked
    elif coding and coding != "identity":
        return {"hex": shown, "problem": f"it is compressed with {coding}"}
    try:
        return {"fields": read(content)}
    except NotProtobufError as error:
        return {"hex": shown, "problem": str(error)}


def read(message: bytes) -> list[Field]:
    """The fields of a message in their order: `number`, `type` and `value`.

    type: `varint` (a whole number), `fixed64`, `fixed32` (a whole number, with `as_float` what it
    is as a floating-point number), `message` (a list of fields), `text`, or `bytes` (the first
    256 in hexadecimal, with `size`). Whole numbers beyond 2^53 are text. Raises NotProtobufError.
    """
    return _Reader().fields(message, MAX_DEPTH)


class _Reader:
    """Reads a message and those within it, and so many fields of all of them together."""

    def __init__(self) -> None:
        self._left = MAX_FIELDS

    def fields(self, data: bytes, depth: int) -> list[Field]:
        fields: list[Field] = []
        at = 0
        while at < len(data):
            tag, at = _varint(data, at)
            number, kind = tag >> 3, tag & 7
            if not 0 < number < 2**29:
                raise NotProtobufError(f"{number} is no number of a field")
            self._left -= 1
            if self._left < 0:
                raise NotProtobufError(f"it has more than {MAX_FIELDS} fields")
            said, at = self._value(data, at, kind, depth)
            fields.append({"number": number, **said})
        return fields

    def _value(self, data: bytes, at: int, kind: int, depth: int) -> tuple[Field, int]:
        if kind == _VARINT:
            value, at = _varint(data, at)
            return {"type": "varint", "value": _exact(value)}, at
        if kind in (_FIXED64, _FIXED32):
            return _fixed(data, at, 8 if kind == _FIXED64 else 4)
        if kind == _BYTES:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise NotProtobufError("a field is longer than its message")
            return self._bytes(data[at : at + size], depth), at + size
        raise NotProtobufError(f"wire type {kind} is not in use")  # groups: proto2's past

    def _bytes(self, data: bytes, depth: int) -> Field:
        text = _text(data)
        # A short text may happen to be a message as well; hardly a longer one.
        if data and depth > 1 and (text is None or "\n" in text or data[0] < 0x20):
            left = self._left
            try:
                return {"type": "message", "value": self.fields(data, depth - 1)}
            except NotProtobufError:
                self._left = left
        if text is not None:
            return {"type": "text", "value": text}
        return {"type": "bytes", "value": data[:MAX_BYTES_SHOWN].hex(), "size": len(data)}


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), at
        shift += 7
    raise NotProtobufError("a number has no end")


def _fixed(data: bytes, at: int, size: int) -> tuple[Field, int]:
    if at + size > len(data):
        raise NotProtobufError("a field is longer than its message")
    raw = data[at : at + size]
    (as_float,) = struct.unpack("<d" if size == 8 else "<f", raw)
    said: Field = {"type": f"fixed{size * 8}", "value": _exact(int.from_bytes(raw, "little"))}
    if math.isfinite(as_float):
        said["as_float"] = as_float
    return said, at + size


def _exact(value: int) -> int | str:
    return value if value <= _MAX_EXACT else str(value)


def _text(data: bytes) -> str | None:
    """The bytes as a text, if they look like one."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if all(char.isprintable() or char in "\n\r\t" for char in text) else None
