"""The heads of an upgrade: the request that asks a backend for it, and the backend's answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Headers of one connection only (RFC 9110, 7.6.1).
HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
# Who the user is, and as whom he acts, was the API server's question; the backend must not get
# the secret. And the body is under way already, whatever the backend thinks of it (100-continue).
NOT_FORWARDED = frozenset(
    (
        *HOP_BY_HOP,
        "authorization",
        "expect",
        "host",
        "impersonate-group",
        "impersonate-uid",
        "impersonate-user",
    )
)
# An interim or final status (RFC 9110, 15).
_CODE = re.compile("[1-9][0-9]{2}")


class BadAnswer(Exception):
    """The backend's bytes are not an HTTP answer."""


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """A status line and its headers."""

    status: int
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


def wants_upgrade(headers: Mapping[str, str]) -> bool:
    """Whether a request asks to change the protocol of its connection."""
    tokens = (token.strip().lower() for token in headers.get("Connection", "").split(","))
    return "upgrade" in tokens and bool(headers.get("Upgrade"))


def upgrade_request(
    method: str, target: str, host: str, upgrade: str, headers: Iterable[tuple[str, str]]
) -> bytes:
    """The request's bytes; `headers` are the client's, of which most go on."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += (f"{name}: {value}" for name, value in headers if name.lower() not in NOT_FORWARDED)
    lines += ["Connection: Upgrade", f"Upgrade: {upgrade}", "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def parse_answer(head: bytes) -> AnswerHead:
    """The answer in `head`, which ends with the empty line. Raises BadAnswer."""
    lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    parts = lines[0].split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not _CODE.fullmatch(parts[1]):
        raise BadAnswer(f"malformed HTTP response {lines[0]!r}")
    pairs = (line.partition(":") for line in lines[1:] if line)
    return AnswerHead(int(parts[1]), tuple((name, value.strip()) for name, _, value in pairs))
