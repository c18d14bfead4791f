"""An HTTP/2 message, and what gRPC makes of one.

RFC 9113 section 8 (how HTTP is expressed in frames); the gRPC mapping onto
HTTP/2 as its PROTOCOL-HTTP2 document describes it: a length-prefixed message
after another in the body, and the status in the trailers.
"""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

from pilotfish.tap.dissectors.hpack_decoder import Fields
from pilotfish.tap.dissectors.http_message import body_fields, decoded
from pilotfish.tap.dissectors.protobuf import grpc_messages

MAX_SIZES = 100
_PREFIX_BYTES = 5  # whether the message is compressed, and its length

# https://grpc.github.io/grpc/core/md_doc_statuscodes.html
GRPC_STATUS = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)


class GrpcMessages:
    """Counts the messages in one side's body.

    Attributes:
        count: messages that began.
        sizes: of the first of them, bytes, without their prefix.
        broken: the beginning of a body is missing, so messages cannot be told apart.
    """

    __slots__ = ("_left", "_prefix", "broken", "count", "sizes")

    def __init__(self) -> None:
        self.count = 0
        self.sizes: list[int] = []
        self.broken = False
        self._prefix = b""
        self._left = 0

    def feed(self, body: bytes) -> None:
        """Take the next bytes of the body."""
        at = 0
        while at < len(body) and not self.broken:
            if self._left:
                step = min(self._left, len(body) - at)
                self._left -= step
                at += step
                continue
            need = _PREFIX_BYTES - len(self._prefix)
            self._prefix += body[at : at + need]
            at += need
            if len(self._prefix) == _PREFIX_BYTES:
                self._left = int.from_bytes(self._prefix[1:], "big")
                self.count += 1
                if len(self.sizes) < MAX_SIZES:
                    self.sizes.append(self._left)
                self._prefix = b""


class Http2Message:
    """A request or response.

    Attributes:
        header: fields in their order, pseudo-header fields included.
        unknown: fields that are not shown, since their beginning was not captured.
        trailer: fields behind the body.
        body: its beginning.
        body_size: how long it was, bytes.
        size: bytes on the wire, frame headers included.
        messages: the gRPC messages in the body; None where this is not gRPC.
        error: the code with which a side reset the stream; "" otherwise.
    """

    __slots__ = (
        "__dict__",
        "_body",
        "body_size",
        "error",
        "header",
        "messages",
        "size",
        "trailer",
        "unknown",
    )

    def __init__(self, header: Fields, unknown: int, size: int) -> None:
        self.header = header
        self.unknown = unknown
        self.trailer: Fields = []
        self.body_size = 0
        self.size = size
        self.error = ""
        self._body = bytearray()
        grpc = any(
            (name == b"content-type" and value.startswith(b"application/grpc"))
            or name == b"grpc-status"
            for name, value in header
        )
        self.messages = GrpcMessages() if grpc else None

    @property
    def body(self) -> bytes:
        """The beginning of the body, as sent."""
        return bytes(self._body)

    def add(self, body: bytes, keep: int) -> None:
        """Take a part of the body, and keep so much of it."""
        self.body_size += len(body)
        if keep > 0:
            self._body += body[:keep]
        if self.messages is not None:
            self.messages.feed(body)

    def pseudo(self, name: bytes) -> str:
        """A pseudo-header field (b":path"); "" where it is not known."""
        for each, value in self.header:
            if each == name:
                return value.decode("latin-1")
        return ""

    @cached_property
    def headers(self) -> dict[str, str]:
        """Header fields by name; repeated ones are joined by ", "."""
        return _joined(self.header)

    @cached_property
    def trailers(self) -> dict[str, str]:
        """Fields behind the body by name."""
        return _joined(self.trailer)

    @property
    def is_response(self) -> bool:
        """Whether it answers."""
        return any(name == b":status" for name, _ in self.header)

    @cached_property
    def content(self) -> bytes:
        """The body with its content codings undone, as far as it was kept."""
        return decoded(self.body, self.headers.get("content-encoding", ""))

    def fields(self) -> dict[str, Any]:
        """Header, body and what gRPC adds, as JSON values."""
        said = self._response() if self.is_response else self._request()
        said |= {
            "version": "HTTP/2",
            "headers": self.headers,
            **body_fields(self.content),
            "body_size": self.body_size,
            "size": self.size,
        }
        if self.trailer:
            said["trailers"] = self.trailers
        if self.unknown:
            said["unknown_headers"] = self.unknown
        if self.error:
            said["http2_error"] = self.error
        if self.messages is not None:
            said |= {"messages": self.messages.count, "message_sizes": self.messages.sizes}
            if self._body and not self.messages.broken:
                said["decoded"] = grpc_messages(self.body, self.headers.get("grpc-encoding", ""))
        return said

    def _request(self) -> dict[str, Any]:
        target = self.pseudo(b":path")
        path, _, query = target.partition("?")
        authority = self.pseudo(b":authority")
        request = {
            "method": self.pseudo(b":method"),
            "url": f"{self.pseudo(b':scheme') or 'http'}://{authority}{target}"
            if authority
            else target,
            "path": path,
            "query": dict(parse_qsl(query, keep_blank_values=True)),
        }
        if self.messages is not None:
            service, _, rpc = path.lstrip("/").rpartition("/")
            request |= {"service": service, "rpc": rpc}
        return request

    def _response(self) -> dict[str, Any]:
        code = self.pseudo(b":status")
        status = int(code) if code.isascii() and code.isdigit() and len(code) < 6 else 0
        response: dict[str, Any] = {"status_code": status, "reason": _reason(status)}
        if self.messages is not None:
            # A call that fails at once has everything in one header block.
            given = self.trailers.get("grpc-status", self.headers.get("grpc-status", ""))
            number = int(given) if given.isascii() and given.isdigit() and len(given) < 6 else None
            message = self.trailers.get("grpc-message", self.headers.get("grpc-message", ""))
            response |= {
                "grpc_status": number,
                "grpc_status_name": grpc_status_name(number),
                "grpc_message": unquote(message),
            }
        return response


def grpc_status_name(number: int | None) -> str:
    """ "NOT_FOUND" for 5; "" when there is no status."""
    if number is None:
        return ""
    return GRPC_STATUS[number] if number < len(GRPC_STATUS) else str(number)


def _reason(status: int) -> str:
    """HTTP/2 sends no reason phrase: the usual one."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _joined(fields: Fields) -> dict[str, str]:
    joined: dict[str, str] = {}
    for raw_name, raw_value in fields:
        if raw_name.startswith(b":"):
            continue
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        # Cookies are split for compression, and belong together with "; " (RFC 9113, 8.2.3).
        glue = "; " if name == "cookie" else ", "
        joined[name] = f"{joined[name]}{glue}{value}" if name in joined else value
    return joined
