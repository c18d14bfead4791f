"""One side of an HTTP/1 connection: bytes → messages, wherever they are split.

RFC 9112 sections 2.2 (heads), 6 (how long a body is) and 7.1 (chunks). Each byte is looked at a
few times only, however it comes: heads and lines that are not whole wait in `Pending`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pilotfish.tap.dissectors.http_message import MAX_BODY_BYTES, HttpMessage
from pilotfish.tap.dissectors.pending import Pending

MAX_HEAD_BYTES = 64 * 1024
_MAX_CHUNK_LINE_BYTES = 1024

# The headers that decide where a message ends, found without reading the others.
FRAMING = re.compile(
    rb"\n(?:content-length[ \t]*:[ \t]*(\d{1,18})|transfer-encoding[ \t]*:[^\r\n]*(chunked))",
    re.IGNORECASE,
)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})(?:[^0-9A-Fa-f]|\Z)")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\n")
_EMPTY_LINE = re.compile(rb"\r?\n")


class Whole(NamedTuple):
    """A message, when its first byte came, and why it is not whole: "" where it is."""

    message: HttpMessage
    begun_s: float
    failure: str = ""


class MessageReader:
    """Cuts one side's bytes into messages.

    Attributes:
        message: the message whose body is being read; None between messages.
        left: bytes of the body (or chunk) that are to come; None: until the connection closes.
        begun_s: when the first byte of what is being read came.
        pending: part of a head, or of a line between chunks.
        skipping: the place is lost: wait for the next start line.
        answered: the message that is being read has its answer already.
    """

    __slots__ = (
        "_at",
        "_body",
        "_chunked",
        "_data",
        "_is_request",
        "_line",
        "_resume",
        "_trailer_bytes",
        "answered",
        "begun_s",
        "left",
        "message",
        "pending",
        "skipping",
    )

    def __init__(
        self,
        line: re.Pattern[bytes],
        resume: re.Pattern[bytes],
        is_request: bool,
    ) -> None:
        """Make a reader.

        Args:
            line: matches the start line of a message.
            resume: finds one in the middle of bytes.
            is_request: whether the messages are requests, whose bodies do not last until the end.
        """
        self._line = line
        self._resume = resume
        self._is_request = is_request
        self.pending = Pending()
        self._data = b""
        self._at = 0
        self._body: bytearray | None = None
        self._chunked = False
        self._trailer_bytes = -1  # of a chunked body's trailer; -1 before it begins
        self.begun_s = 0.0
        self.message: HttpMessage | None = None
        self.left: int | None = 0
        self.skipping = False
        self.answered = False

    @property
    def kept(self) -> int:
        """What is not told yet, bytes."""
        head = len(self.message.head) if self.message is not None else 0
        return head + len(self.pending) + len(self._body or b"")

    def feed(
        self, payload: bytes, time_s: float, has_body: Callable[[bytes], bool]
    ) -> Iterator[Whole]:
        """Take bytes; the messages that are whole now. A caller that stops here asks for `rest`.

        has_body: of an answer's head, whether a body may follow.
        """
        if self.message is None and not self.pending:
            self.begun_s = time_s
        self._data, self._at = self.pending.take(payload), 0
        while self._at < len(self._data):
            if self.message is None:
                whole = self._head(time_s, has_body)
            elif self._chunked and not self.left:
                whole = self._chunk_line(time_s)
            else:
                whole = self._read_body(time_s)
            if whole is not None:
                yield whole
        self._data, self._at = b"", 0

    def rest(self) -> bytes:
        """What has not been read; it is forgotten here."""
        rest = self._data[self._at :] + bytes(self.pending.data)
        self.pending.clear()
        self._data, self._at = b"", 0
        return rest

    def lose(self, missing: int, time_s: float) -> Whole | None:
        """Count bytes that are missing within a body; elsewhere the place is lost."""
        message = self.message
        fits = not self._chunked and (self.left is None or self.left >= missing)
        if message is not None and fits:
            message.body_size += missing
            message.size += missing
            self.left = self.left and self.left - missing
            return self.end(time_s) if self.left == 0 else None
        self.pending.clear()
        self.skipping = True
        if message is not None:
            return self.end(time_s, "lost")
        self.answered = False
        return None

    def end(self, time_s: float, failure: str = "") -> Whole:
        """The message that is being read ends here; there must be one."""
        message = self.message
        assert message is not None
        message.body = bytes(self._body or b"")
        self.drop()
        begun_s, self.begun_s = self.begun_s, time_s
        return Whole(message, begun_s, failure)

    def drop(self) -> None:
        """Forget the message that is being read."""
        self.message, self._body = None, None
        self.left, self._chunked, self._trailer_bytes = 0, False, -1

    def so_far(self) -> HttpMessage | None:
        """A copy of the message that is being read, perhaps of its head only; None without one."""
        message = self.message
        if message is not None:
            body = bytes(self._body or b"")
            return HttpMessage(message.head, message.size, body, message.body_size)
        begun = bytes(self.pending.data)
        if not self._line.match(begun):
            return None
        return HttpMessage(begun[: begun.rindex(b"\n")].rstrip(b"\r"), len(begun))

    def _head(self, time_s: float, has_body: Callable[[bytes], bool]) -> Whole | None:
        data, at = self._data, self._at
        if self.skipping:
            start = self._resume.search(data, at)
            if start is None:
                self._at = len(data)
                return None
            self._at = at = start.start()
            self.skipping = False
            self.begun_s = time_s
        empty = _EMPTY_LINE.match(data, at)
        if empty is not None:
            self._at = empty.end()  # before the start line (RFC 9112, 2.2)
            return None
        match = _HEAD_END.search(data, at)
        if match is None:
            self._wait_for_head(data, at)
            return None
        if not self._line.match(data, at):
            self.skipping, self.answered = True, False
            return None
        message = HttpMessage(data[at : match.start()], match.end() - at)
        self._at = match.end()
        self.message = message
        self._frame(message.head, has_body)
        return self.end(time_s) if self.left == 0 and not self._chunked else None

    def _wait_for_head(self, data: bytes, at: int) -> None:
        """Keep what has come of a head, up to the most that anybody sends."""
        self._at = len(data)
        if len(data) - at > MAX_HEAD_BYTES:
            self.skipping, self.answered = True, False
            return
        self.pending.keep_until(data[at:], _HEAD_END, 4, MAX_HEAD_BYTES)

    def _frame(self, head: bytes, has_body: Callable[[bytes], bool]) -> None:
        """How the body ends (RFC 9112, section 6.3)."""
        self._chunked, self.left = False, 0
        length: int | None = None
        for framing in FRAMING.finditer(head):
            if framing[1]:
                length = int(framing[1])
            else:
                self._chunked = True
        if self._is_request:
            self.left = 0 if self._chunked else length or 0
        elif not has_body(head):
            self._chunked = False
        elif not self._chunked:
            self.left = length

    def _chunk_line(self, time_s: float) -> Whole | None:
        """Read a chunk's size, the line end behind a chunk, or a line of the trailer."""
        message = self.message
        assert message is not None
        data, at = self._data, self._at
        in_trailer = self._trailer_bytes >= 0
        most = MAX_HEAD_BYTES if in_trailer else _MAX_CHUNK_LINE_BYTES
        end = data.find(b"\n", at, at + most + 1)
        if end < 0:
            self._at = len(data)
            if len(data) - at > most:
                self.skipping = True
                return self.end(time_s, "lost")
            self.pending.keep_until(data[at:], _LINE_END, 1, most)
            return None
        self._at = end + 1
        message.size += self._at - at
        line = data[at:end].rstrip(b"\r")
        if in_trailer:
            return self._trailer_line(line, time_s)
        if not line and message.body_size:
            return None
        size = _CHUNK_SIZE.match(line)
        if size is None:
            self._at = len(data)
            self.skipping = True
            return self.end(time_s, "lost")
        self.left = int(size[1], 16)
        if not self.left:
            self._trailer_bytes = 0
        return None

    def _trailer_line(self, line: bytes, time_s: float) -> Whole | None:
        if not line:
            return self.end(time_s)
        self._trailer_bytes += len(line)
        if self._trailer_bytes > MAX_HEAD_BYTES:
            self._at = len(self._data)
            self.skipping = True
            return self.end(time_s, "lost")
        return None

    def _read_body(self, time_s: float) -> Whole | None:
        message = self.message
        assert message is not None
        end = len(self._data) if self.left is None else self._at + self.left
        body = self._data[self._at : end]
        room = MAX_BODY_BYTES - message.body_size
        if room > 0:
            if self._body is None:
                self._body = bytearray()
            self._body += body[:room]
        message.body_size += len(body)
        message.size += len(body)
        self._at += len(body)
        if self.left is None:
            return None
        self.left -= len(body)
        return self.end(time_s) if not self.left and not self._chunked else None
