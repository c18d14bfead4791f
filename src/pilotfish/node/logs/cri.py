"""CRI's log format: one entry a line, `TIMESTAMP STREAM TAG CONTENT`.

TAG is F for a full line, P for a part of one (the line goes on in the next entry of the
stream). Source: Kubernetes, design proposal "CRI: Log management for container stdout/stderr".
"""

from __future__ import annotations

import time
from dataclasses import dataclass

MAX_LINE_BYTES = 16 * 1024


@dataclass(frozen=True)
class Entry:
    timestamp: str  # RFC 3339 with nanoseconds, UTC
    stream: str  # "stdout" or "stderr"
    full: bool
    content: bytes  # without its newline


def timestamp(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"


def format_entry(moment: str, stream: str, full: bool, content: bytes) -> bytes:
    return b"%b %b %b %b\n" % (moment.encode(), stream.encode(), b"F" if full else b"P", content)


def parse_entry(line: bytes) -> Entry | None:
    """An entry of a line (with or without its newline); None for what is no entry."""
    parts = line.rstrip(b"\n").split(b" ", 3)
    if len(parts) != 4 or parts[2] not in (b"F", b"P"):
        return None
    moment, stream, tag, content = parts
    return Entry(moment.decode(), stream.decode(), tag == b"F", content)


class LineSplitter:
    """Cuts a stream into lines; what exceeds MAX_LINE_BYTES leaves in parts."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[bytes, bool]]:
        """(content, is a full line) for everything that is complete."""
        *lines, rest = (self._rest + data).split(b"\n")
        result = []
        for line in lines:
            while len(line) > MAX_LINE_BYTES:
                result.append((line[:MAX_LINE_BYTES], False))
                line = line[MAX_LINE_BYTES:]
            result.append((line, True))
        while len(rest) > MAX_LINE_BYTES:
            result.append((rest[:MAX_LINE_BYTES], False))
            rest = rest[MAX_LINE_BYTES:]
        self._rest = rest
        return result

    def flush(self) -> list[tuple[bytes, bool]]:
        """What is left when the stream ends: a part, for its newline never came."""
        rest, self._rest = self._rest, b""
        return [(rest, False)] if rest else []
