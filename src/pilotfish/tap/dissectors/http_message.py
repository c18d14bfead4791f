"""An HTTP/1.x message: its head as it was captured, read when somebody asks.

RFC 9112 (message syntax) and RFC 9110 (semantics).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# Bodies are shown, not stored: what is kept of one, and what it may unpack to.
MAX_BODY_BYTES = 256 * 1024
MAX_HEX_BYTES = 1024

# More codings on top of one another are a bomb.
_MAX_CODINGS = 4
_UNPACK_BYTES = 4096
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class HttpMessage:
    """A request or response.

    Attributes:
        head: the start line and header lines, without the empty line that ends them.
        body: the beginning of the body, as sent but without chunk framing.
        body_size: how long the body was, bytes.
        size: bytes on the wire, head and framing included.
    """

    __slots__ = ("_headers", "_start_line", "body", "body_size", "head", "size")

    def __init__(self, head: bytes, size: int, body: bytes = b"", body_size: int = 0) -> None:
        self.head = head
        self.size = size
        self.body = body
        self.body_size = body_size

    @property
    def kept(self) -> int:
        """Bytes of it that are in memory, about."""
        return len(self.head) + len(self.body)

    # Kept once they are asked for. (functools.cached_property takes a lock each time, in 3.11.)
    @property
    def start_line(self) -> tuple[str, str, str]:
        """Method, target, version of a request; version, status code, reason of a response."""
        try:
            return self._start_line
        except AttributeError:
            line = self.head.split(b"\n", 1)[0].rstrip(b"\r").decode("latin-1")
            first, second, third, *_ = (*line.split(None, 2), "", "", "")
            self._start_line: tuple[str, str, str] = first, second, third.rstrip(" \t")
            return self._start_line

    @property
    def headers(self) -> dict[str, str]:
        """Header fields by lower-case name; repeated ones are joined by ", " (RFC 9110, 5.3).

        A line that begins with a blank goes on with the one before (RFC 9112, 5.2).
        """
        try:
            return self._headers
        except AttributeError:
            self._headers: dict[str, str] = self._read_headers()
            return self._headers

    def _read_headers(self) -> dict[str, str]:
        lines: list[list[bytes]] = []
        for line in self.head.split(b"\n")[1:]:
            if line[:1] in (b" ", b"\t") and lines:
                lines[-1].append(line)
            else:
                lines.append([line])
        found: dict[str, list[str]] = {}
        for first, *folds in lines:
            name, colon, value = first.partition(b":")
            name = name.rstrip(b" \t")
            if colon and _NAME.fullmatch(name):
                whole = b" ".join(part.strip(b" \t\r") for part in (value, *folds))
                found.setdefault(name.decode("ascii").lower(), []).append(whole.decode("latin-1"))
        return {name: ", ".join(values) for name, values in found.items()}

    @property
    def content(self) -> bytes:
        """The body with its content codings undone, as far as it was kept."""
        return decoded(self.body, self.headers.get("content-encoding", ""))

    def fields(self) -> dict[str, Any]:
        """Head and body as JSON values."""
        first, second, third = self.start_line
        if first.startswith("HTTP/"):
            status = int(second) if second.isdigit() else 0
            said: dict[str, Any] = {"status_code": status, "reason": third, "version": first}
        else:
            path, query = _path_and_query(second)
            said = {
                "method": first,
                "url": second,
                "path": path,
                "query": dict(parse_qsl(query, keep_blank_values=True)),
                "version": third,
            }
        return {
            **said,
            "headers": self.headers,
            **body_fields(self.content),
            "body_size": self.body_size,
            "size": self.size,
        }


def body_fields(content: bytes) -> dict[str, Any]:
    """`body`: as text; `body_hex`: its first bytes, where it is no text."""
    try:
        return {"body": content.decode()}
    except UnicodeDecodeError as error:
        fields: dict[str, Any] = {"body": content.decode("utf-8", "replace")}
        # A text that was cut off within its last character is one.
        if error.reason != "unexpected end of data":
            fields["body_hex"] = content[:MAX_HEX_BYTES].hex()
        return fields


def _path_and_query(target: str) -> tuple[str, str]:
    """The path and query of a request target, in origin or absolute form (RFC 9112, 3.2)."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return target, ""  # brackets that hold no address, for example
    return parts.path, parts.query


def decoded(body: bytes, codings: str) -> bytes:
    """Undo content codings, last one first; what cannot be undone is left as it is."""
    names = [name.strip().lower() for name in codings.split(",") if name.strip()]
    for coding in reversed(names if len(names) <= _MAX_CODINGS else ()):
        undo = _CODINGS.get(coding)
        if undo is None:
            return body
        body = undo(body)
    return body


def _inflate(body: bytes, window: int) -> bytes:
    # A partial body unpacks as far as it goes; a bomb no further than the bound.
    unpacker = zlib.decompressobj(window)
    try:
        return unpacker.decompress(body, MAX_BODY_BYTES)
    except zlib.error:
        return body


def _gunzip(body: bytes) -> bytes:
    """Unpack gzip, of one member or several (RFC 1952, section 2.2), as far as it goes.

    What is no gzip is left as it is.
    """
    unpacked = bytearray()
    unpacker, at = zlib.decompressobj(zlib.MAX_WBITS | 16), 0
    while at < len(body) and len(unpacked) < MAX_BODY_BYTES:
        # In small parts: behind each member zlib copies what it was given too much.
        part = body[at : at + _UNPACK_BYTES]
        try:
            unpacked += unpacker.decompress(part, MAX_BODY_BYTES - len(unpacked))
        except zlib.error:
            return bytes(unpacked) if unpacked else body
        at += len(part) - len(unpacker.unconsumed_tail) - len(unpacker.unused_data)
        if unpacker.eof:
            unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    return bytes(unpacked)


def _deflate(body: bytes) -> bytes:
    # "deflate" means the zlib format, but some send the bare stream (RFC 9110, 8.4.1.2).
    unpacked = _inflate(body, zlib.MAX_WBITS)
    return unpacked if unpacked is not body else _inflate(body, -zlib.MAX_WBITS)


def _unbrotli(body: bytes) -> bytes:
    import brotli  # 1 MB of memory that only those pay who look at such bodies

    try:
        unpacked: bytes = brotli.Decompressor().process(body, output_buffer_limit=MAX_BODY_BYTES)
    except brotli.error:
        return body
    return unpacked[:MAX_BODY_BYTES]


_CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _deflate,
    "br": _unbrotli,
    "identity": bytes,
}
