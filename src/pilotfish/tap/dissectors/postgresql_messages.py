"""Messages of the PostgreSQL protocol, version 3: one side's bytes → messages.

PostgreSQL documentation, "Message Formats". Large messages are kept in part,
data rows and COPY data only counted, and passwords not at all.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

MAX_KEPT_BYTES = 64 * 1024

STARTUP = 196608  # version 3.0; later minor versions count up from it
CANCEL, SSL, GSS = 80877102, 80877103, 80877104

# Of these only the size matters; "p" is a password, or what proves that one is known.
_FROM_CLIENT_NOT_KEPT = frozenset("dp")
_FROM_SERVER_NOT_KEPT = frozenset("dDR")
FROM_CLIENT = frozenset("QPBDEHSCcdfFXp")
FROM_SERVER = frozenset("RSKZTDCIEN123nstAGHWVcdv")


class PgMessage(NamedTuple):
    """A message.

    Attributes:
        kind: its type byte; "" for the first ones of a client, which have none.
        payload: the beginning of what follows its length.
        size: bytes on the wire.
    """

    kind: str
    payload: bytes
    size: int


class BrokenStream(ValueError):
    """The bytes cannot be this protocol."""


class MessageReader:
    """Cuts one side's bytes into messages.

    Attributes:
        untyped: the next message has no type byte.
    """

    __slots__ = ("_from_client", "_kept", "_kind", "_left", "_pending", "_room", "_size", "untyped")

    def __init__(self, from_client: bool, untyped: bool) -> None:
        self.untyped = untyped
        self._from_client = from_client
        self._pending = b""
        self._kind = ""
        self._left = -1  # payload bytes of the message that is being read; -1 between messages
        self._size = self._room = 0
        self._kept = bytearray()

    @property
    def kept(self) -> int:
        """Bytes of a message that is not whole."""
        return len(self._pending) + len(self._kept)

    @property
    def is_between(self) -> bool:
        """Whether a new message begins with the next byte."""
        return self._left < 0 and not self._pending

    def feed(self, payload: bytes) -> tuple[list[PgMessage], bytes]:
        """Take bytes; the messages that are whole now.

        After a message without type (`untyped`) it stops: what follows depends on what
        that message is about, and is given back.

        Raises:
            BrokenStream: a message of no known type, or of an impossible length.
        """
        data = self._pending + payload if self._pending else payload
        self._pending = b""
        messages: list[PgMessage] = []
        at = 0
        while at < len(data) or self._left == 0:
            if self._left < 0:
                step = self._head(data, at)
                if not step:
                    self._pending = data[at:]
                    break
                at += step
                continue
            part = data[at : at + self._left]
            at += len(part)
            self._left -= len(part)
            if self._room > 0:
                self._kept += part[: self._room]
                self._room -= len(part)
            if not self._left:
                messages.append(PgMessage(self._kind, bytes(self._kept), self._size))
                self._left, self._kept = -1, bytearray()
                if not self._kind:
                    return messages, data[at:]
        return messages, b""

    def _head(self, data: bytes, at: int) -> int:
        size = 4 if self.untyped else 5
        if len(data) - at < size:
            return 0
        self._kind = "" if self.untyped else chr(data[at])
        length = int.from_bytes(data[at + size - 4 : at + size], "big")
        known = FROM_CLIENT if self._from_client else FROM_SERVER
        if length < 4 or length >= 1 << 31 or (self._kind and self._kind not in known):
            raise BrokenStream(f"a message {self._kind!r} of {length} bytes")
        not_kept = _FROM_CLIENT_NOT_KEPT if self._from_client else _FROM_SERVER_NOT_KEPT
        self._left = length - 4
        self._size = size + length - 4
        self._room = 0 if self._kind in not_kept else MAX_KEPT_BYTES
        return size


def strings(payload: bytes, count: int) -> tuple[list[str], int]:
    """That many strings that end with NUL, and where the next thing begins."""
    found = []
    at = 0
    for _ in range(count):
        end = payload.find(b"\0", at)
        end = len(payload) if end < 0 else end
        found.append(payload[at:end].decode("utf-8", "replace"))
        at = end + 1
    return found, min(at, len(payload))


def startup_parameters(payload: bytes) -> dict[str, str]:
    """Names and values of a startup message, behind its version."""
    parts = payload[4:].decode("utf-8", "replace").split("\0")
    return {name: value for name, value in zip(parts[::2], parts[1::2], strict=False) if name}


def error_fields(payload: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse by their letter ("C": SQLSTATE)."""
    fields = {}
    for part in payload.split(b"\0"):
        if part:
            fields[chr(part[0])] = part[1:].decode("utf-8", "replace")
    return fields


def column_names(payload: bytes) -> list[str]:
    """The names in a RowDescription."""
    names = []
    at = 2
    while at < len(payload):
        end = payload.find(b"\0", at)
        if end < 0:
            break
        names.append(payload[at:end].decode("utf-8", "replace"))
        at = end + 1 + 18  # table, column, type, its size and modifier, format
    return names


def bind_parameters(payload: bytes, at: int, most: int) -> list[str | None]:
    """The parameters of a Bind message behind its names: text, hexadecimal where binary."""
    values: list[str | None] = []
    try:
        (count,) = struct.unpack_from("!H", payload, at)
        formats = struct.unpack_from(f"!{count}H", payload, at + 2)
        at += 2 + 2 * count
        (parameters,) = struct.unpack_from("!H", payload, at)
        at += 2
        for number in range(min(parameters, most)):
            (length,) = struct.unpack_from("!i", payload, at)
            at += 4
            if length < 0:
                values.append(None)
                continue
            value = payload[at : at + length]
            at += length
            # One format stands for all, none means text.
            binary = formats[number if count > 1 else 0] if count else 0
            values.append(value.hex(" ") if binary else value.decode("utf-8", "replace"))
    except (struct.error, IndexError):
        pass  # a message that was kept in part
    return values


def look_like_requests(data: bytes) -> bool | None:
    """Whether these bytes can hardly be anything but a client's messages; None: too few to say.

    For connections whose beginning was not captured: a query, or the messages of an extended
    query, that end where the bytes do.
    """
    at = 0
    while at < len(data):
        kind = chr(data[at])
        if kind not in ("QPB" if not at else FROM_CLIENT):
            return False
        if len(data) - at < 5:
            return None
        length = int.from_bytes(data[at + 1 : at + 5], "big")
        if not 5 <= length + (kind in "SHcX") < 1 << 20:
            return False
        payload = data[at + 5 : at + 1 + length]
        if len(payload) < length - 4:
            return None
        at += 1 + length
        if kind == "Q":
            return payload.endswith(b"\0") and payload.count(b"\0") == 1
        if kind in "SH":
            return length == 4
    return None
