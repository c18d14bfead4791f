"""An exchange: one request and its answer, or what came instead of one.

Dissectors make these on the hot path, so an exchange holds what was cut out of
the streams and leaves everything that not every viewer asks for (headers,
bodies, names) to be worked out when somebody asks.
"""

from __future__ import annotations

from typing import Any, Protocol

from pilotfish.tap.connection import Connection


class Message(Protocol):
    """One side of an exchange, as its protocol's dissector understands it."""

    @property
    def size(self) -> int:
        """Bytes on the wire."""

    def fields(self) -> dict[str, Any]:
        """What it says, for the filter and for people: JSON values only."""


class Exchange:
    """A request and its answer on one connection.

    Attributes:
        protocol: the dissector's name: "http", "dns", "redis", …
        connection: the connection it crossed.
        request, response: None where the side was not captured or never came.
        request_s, response_s: when the first byte of each was seen, s since 1970; 0 without.
        end_s: when the last byte was seen.
        first: whether it is the first of its connection, which paid for the handshake.
        failure: "" or why there is no (whole) answer: "reset", "refused", "timed out", "closed",
            "lost" (the capture lost part of it).
    """

    __slots__ = (
        "connection",
        "end_s",
        "failure",
        "first",
        "protocol",
        "request",
        "request_s",
        "response",
        "response_s",
    )

    def __init__(
        self,
        protocol: str,
        connection: Connection,
        request: Message | None,
        request_s: float,
        response: Message | None = None,
        response_s: float = 0.0,
        end_s: float = 0.0,
        first: bool = False,
        failure: str = "",
    ) -> None:
        self.protocol = protocol
        self.connection = connection
        self.request = request
        self.request_s = request_s
        self.response = response
        self.response_s = response_s
        self.end_s = end_s
        self.first = first
        self.failure = failure

    @property
    def elapsed_s(self) -> float:
        """From the first byte of the request to the last of the answer; 0 without an answer."""
        return self.end_s - self.request_s if self.response is not None else 0.0
