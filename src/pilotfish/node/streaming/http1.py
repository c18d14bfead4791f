"""HTTP/1.1 heads, the little that the kubelet's server needs: bytes to a request, answer to bytes.

Requests to a kubelet have no body that matters: everything is in the path and the query. Every
answer ends its connection, or turns it into something else with 101. Source: RFC 9112,
sections 3 (request line), 5 (fields) and 7.1 (chunked).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

LAST_CHUNK = b"0\r\n\r\n"


class BadRequest(Exception):
    """The bytes are not an HTTP/1.1 request."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request's head. `path` segments are decoded; `headers` names are lower-case."""

    method: str
    path: tuple[str, ...]
    query: dict[str, list[str]]
    headers: tuple[tuple[str, str], ...]

    def header_values(self, name: str) -> list[str]:
        """Every value of a header, comma-separated lists split."""
        return [
            item.strip()
            for key, value in self.headers
            if key == name
            for item in value.split(",")
            if item.strip()
        ]

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def first(self, name: str) -> str:
        """The first value of a query parameter; "" when it is absent."""
        return self.query.get(name, [""])[0]

    def flag(self, name: str) -> bool:
        """A boolean query parameter as Kubernetes reads it: 1 and true in any case."""
        return self.first(name).lower() in ("1", "true")

    def wants_upgrade(self, protocol: str) -> bool:
        """Whether the client asks to switch to this protocol."""
        wanted = any(value.lower() == "upgrade" for value in self.header_values("connection"))
        return wanted and self.header("upgrade").lower() == protocol.lower()


def parse_request(head: bytes) -> Request:
    """The request in `head`, which ends with the empty line. Raises BadRequest."""
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest("malformed request line")
    headers = []
    for line in lines[1:]:
        if not line:
            break
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest("malformed header line")
        headers.append((name.lower(), value.strip()))
    target = urlsplit(parts[1])
    path = tuple(unquote(segment) for segment in target.path.split("/") if segment)
    query = parse_qs(target.query, keep_blank_values=True)
    return Request(parts[0], path, query, tuple(headers))


def response_head(status: int, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += (f"{name}: {value}" for name, value in headers)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def whole_response(status: int, body: bytes, content_type: str = "text/plain") -> bytes:
    """An answer whose body is known; the connection ends with it."""
    headers = (
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    )
    return response_head(status, headers) + body


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; `data` must not be empty, that would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)
