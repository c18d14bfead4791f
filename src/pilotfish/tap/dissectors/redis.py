"""Redis: commands and their replies, in order, pipelined or not; and what is published.

Requests are arrays of bulk strings, or lines that a person typed ("inline
commands"). Replies come in the order of the commands, except what a subscriber
is sent: that is a message without a request.
"""

from __future__ import annotations

import re
from collections import deque
from functools import cached_property
from typing import Any

from pilotfish.tap.connection import CLIENT, Connection, End
from pilotfish.tap.conversation import Context
from pilotfish.tap.dissectors.resp import (
    MAX_MESSAGE_BYTES,
    RespError,
    RespReader,
    Value,
    json_of,
    json_of_pairs,
    text_of,
)
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.memory import PIECE_BYTES

MAX_PIPELINED = 10_000
# Of all commands that wait for their replies.
MAX_WAITING_BYTES = 4 * 1024 * 1024

_COMMAND = re.compile(rb"\*[1-9]\d{0,6}\r\n\$\d{1,9}\r\n")
_COMMAND_BEGINNING = re.compile(rb"\*(?:[1-9]\d{0,6}(?:\r(?:\n(?:\$(?:\d{1,9}\r?)?)?)?)?)?\Z")
_INLINE = re.compile(
    rb"(?:PING|ECHO|GET|SET|DEL|INFO|KEYS|INCR|DECR|TTL|EXISTS|TYPE|MONITOR|SELECT|AUTH|HELLO"
    rb"|LPUSH|RPUSH|LRANGE|HGET|HSET|HGETALL|SUBSCRIBE|PUBLISH|COMMAND|CONFIG|DBSIZE|QUIT)"
    rb"(?: [^\r\n]*)?\r?\n",
    re.IGNORECASE,
)
_INLINE_BEGINNING = re.compile(rb"[A-Za-z]{1,9}(?: [^\r\n]*)?\r?\Z")
_REPLY = re.compile(rb"[-+:$*%~>#_,(=!|][^\r\n]*\r\n")

_SUBSCRIBES = frozenset(
    prefix + word for prefix in ("", "P", "S") for word in ("SUBSCRIBE", "UNSUBSCRIBE")
)
_SUBSCRIBES_AS_SENT = frozenset(word.encode() for word in _SUBSCRIBES)
_PUBLISHED = frozenset(("message", "pmessage", "smessage"))


NAMES = ("redis",)


def recognise(client: bytes, server: bytes) -> bool | None:
    """Whether this is Redis by the first bytes of both sides; None: too few to say."""
    if not client:
        return None if not server else False
    if _COMMAND.match(client):
        return True
    if _COMMAND_BEGINNING.match(client):
        return None
    if _INLINE.match(client):
        # A line of text might be anything: the answer decides.
        if b"\r\n" not in server[:512] and len(server) < 512:
            return None
        return bool(_REPLY.match(server))
    return None if _INLINE_BEGINNING.match(client[:512]) else False


def make(connection: Connection, context: Context) -> Redis:
    """The dissector of a connection that was recognised."""
    return Redis(connection, context)


class Command:
    """A request: the command's name and its arguments.

    Attributes:
        size: bytes on the wire.
    """

    __slots__ = ("__dict__", "size", "value")

    def __init__(self, value: Value) -> None:
        self.value = value
        self.size = value.size

    @property
    def kept(self) -> int:
        """Bytes of it that are in memory, about."""
        return min(self.size, MAX_MESSAGE_BYTES)

    @property
    def name(self) -> bytes:
        """The command's name in upper case, found without reading the arguments."""
        data = self.value.data
        if isinstance(data, list):
            data = data[0].data if data else b""
        return data.upper().partition(b" ")[0] if isinstance(data, bytes) else b""

    @cached_property
    def words(self) -> list[str]:
        """The name in upper case, and the arguments."""
        if self.value.kind == "inline":
            words = text_of(self.value.data).split()
        else:
            said = self.value.data if isinstance(self.value.data, list) else [self.value]
            words = [str(json_of(item)) for item in said]
        return [words[0].upper(), *words[1:]] if words else [""]

    def fields(self) -> dict[str, Any]:
        """What it says, as JSON values."""
        name, *arguments = self.words
        return {
            "method": name,
            "command": name,
            "key": arguments[0] if arguments else "",
            "args": arguments,
            "size": self.size,
        }


class Reply:
    """A reply, or what a subscriber is sent.

    Attributes:
        size: bytes on the wire.
    """

    __slots__ = ("size", "value")

    def __init__(self, value: Value) -> None:
        self.value = value
        self.size = value.size

    @property
    def is_error(self) -> bool:
        """Whether the server says that something is wrong."""
        return self.value.kind == "error"

    def fields(self) -> dict[str, Any]:
        """What it says, as JSON values; `status` is "OK" or the error's first word."""
        value = json_of(self.value)
        status = "OK"
        if self.is_error:
            status = str(value).split(" ", 1)[0] or "ERR"
        said = {
            "type": self.value.kind,
            "value": value,
            "status": status,
            "error": self.is_error,
            "size": self.size,
        }
        if self.value.attributes:
            said["attributes"] = json_of_pairs(self.value.attributes)
        return said


class _Waiting:
    """A command that waits for its reply, or for several (SUBSCRIBE has one a channel)."""

    __slots__ = ("asked_s", "command", "replies")

    def __init__(self, command: Command, asked_s: float) -> None:
        self.command = command
        self.asked_s = asked_s
        self.replies = 1
        if command.name in _SUBSCRIBES_AS_SENT:
            self.replies = max(len(command.words) - 1, 1)


class _Silence:
    """Which commands the server answers with nothing at all.

    Source: the documentation of CLIENT REPLY and REPLCONF on redis.io.
    """

    def __init__(self) -> None:
        self._off = self._skips_next = False

    def covers(self, command: Command) -> bool:
        """Whether this command, the next one, has no reply."""
        skipped, self._skips_next = self._skips_next, False
        if command.name == b"REPLCONF":
            return self._off or skipped or command.words[1:2] in (["ACK"], ["ack"])
        if command.name != b"CLIENT":
            return self._off or skipped
        match [word.upper() for word in command.words[1:3]]:
            case ["REPLY", "ON"]:
                self._off = False
                return False
            case ["REPLY", "OFF"]:
                self._off = True
            case ["REPLY", "SKIP"]:
                self._skips_next = not self._off
            case _:
                return self._off or skipped
        return True


class Redis:
    """The dissector of one connection."""

    name = "redis"

    def __init__(self, connection: Connection, context: Context) -> None:
        self._connection = connection
        self._emit = context.emit
        self._first = connection.whole
        self._readers = (RespReader(inline=True), RespReader(inline=False))
        self._lost = [False, False]
        self._begun_s = [0.0, 0.0]
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._silence = _Silence()

    @property
    def kept(self) -> int:
        """Commands that wait for their replies, and what is being read."""
        read = sum(reader.kept for reader in self._readers)
        return read + self._waiting_bytes + 8 * PIECE_BYTES * len(self._waiting)

    def opened(self, time_s: float) -> None:
        """Nothing to do: the connection knows when it was opened."""

    def data(self, side: int, payload: bytes, time_s: float) -> None:
        """Take the next bytes of one side."""
        reader = self._readers[side]
        if self._lost[side]:
            # Messages seldom go over segments: go on where one may begin.
            start = _COMMAND if side == CLIENT else _REPLY
            if not start.match(payload):
                return
            self._lost[side] = False

        if reader.is_between:
            self._begun_s[side] = time_s
        try:
            values = reader.feed(payload)
        except RespError:
            self._lose(side)
            return
        for value in values:
            begun_s, self._begun_s[side] = self._begun_s[side], time_s
            if side == CLIENT:
                self._asked(Command(value), begun_s)
            else:
                self._replied(Reply(value), begun_s, time_s)

    def gap(self, side: int, missing: int, time_s: float) -> None:  # noqa: ARG002 (Listener)
        """Bytes were lost, and with them the place, and which reply is whose."""
        self._lose(side)

    def closed(self, side: int, time_s: float) -> None:
        """The other side may still speak."""

    def ended(self, how: End, time_s: float) -> None:  # noqa: ARG002 (Listener)
        """Nobody is answered any more."""
        self._give_up(how)

    def _lose(self, side: int) -> None:
        self._readers[side].reset()
        self._lost[side] = True
        self._give_up("lost")

    def _give_up(self, failure: str) -> None:
        while self._waiting:
            waiting = self._next_waiting()
            self._tell(waiting.command, waiting.asked_s, None, 0.0, 0.0, failure)

    def _asked(self, command: Command, begun_s: float) -> None:
        if self._silence.covers(command):
            self._tell(command, begun_s, None, 0.0, begun_s)
            return
        self._waiting.append(_Waiting(command, begun_s))
        self._waiting_bytes += command.kept
        while len(self._waiting) > MAX_PIPELINED or self._waiting_bytes > MAX_WAITING_BYTES:
            lost = self._next_waiting()
            self._tell(lost.command, lost.asked_s, None, 0.0, 0.0, "lost")

    def _next_waiting(self) -> _Waiting:
        waiting = self._waiting.popleft()
        self._waiting_bytes -= waiting.command.kept
        return waiting

    def _replied(self, reply: Reply, begun_s: float, time_s: float) -> None:
        waiting = self._waiting[0] if self._waiting else None
        if waiting is None or self._is_published(reply, waiting):
            self._tell(None, begun_s, reply, begun_s, time_s)
            return
        waiting.replies -= 1
        if waiting.replies <= 0 or reply.is_error:
            self._next_waiting()
            self._tell(waiting.command, waiting.asked_s, reply, begun_s, time_s)

    def _is_published(self, reply: Reply, waiting: _Waiting) -> bool:
        """Whether a reply answers nothing: a published message, or another push (RESP3)."""
        if reply.value.kind not in ("push", "array") or not reply.value.data:
            return False
        first = reply.value.data[0]
        word = text_of(first.data) if isinstance(first.data, bytes) else ""
        if reply.value.kind == "array":
            return word in _PUBLISHED and waiting.command.words[0] in (*_SUBSCRIBES, "PING")
        return not (word.upper() in _SUBSCRIBES and word.upper() == waiting.command.words[0])

    def _tell(
        self,
        command: Command | None,
        asked_s: float,
        reply: Reply | None,
        replied_s: float,
        end_s: float,
        failure: str = "",
    ) -> None:
        exchange = Exchange(
            "redis", self._connection, command, asked_s, reply, replied_s, end_s, failure=failure
        )
        exchange.first, self._first = self._first, False
        self._emit(exchange)
