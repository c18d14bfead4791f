"""The upgrade of a request: which protocol, and the 101 that agrees to it.

SPDY (RFC 9110, 7.8): the client lists its protocols in X-Stream-Protocol-Version headers.
WebSocket (RFC 6455, 4.2): it lists them in Sec-WebSocket-Protocol. In both the server takes
the first of its own list that the client knows and names it in the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from pilotfish.node.streaming.http1 import BadRequest, Request, response_head
from pilotfish.node.streaming.websocket_frames import accept_key

_SPDY = "SPDY/3.1"
_STREAM_PROTOCOL = "X-Stream-Protocol-Version"


class NoCommonProtocol(Exception):
    """The client knows none of the server's protocols; answer 403 with this text."""


def wants_websocket(request: Request) -> bool:
    return request.wants_upgrade("websocket")


def negotiate_spdy(request: Request, known: Sequence[str]) -> str:
    """The protocol to speak. Raises BadRequest when this is no SPDY upgrade, NoCommonProtocol."""
    if not request.wants_upgrade(_SPDY):
        upgrade = request.header("upgrade")
        raise BadRequest(
            f'unable to upgrade: missing upgrade headers in request: "{upgrade}"'
            if not upgrade
            else f"unable to upgrade: {upgrade!r} is neither {_SPDY} nor websocket"
        )
    offered = request.header_values(_STREAM_PROTOCOL.lower())
    # A client that names none is of the first version.
    return _choose(offered, known) if offered else known[-1]


def spdy_answer(protocol: str) -> bytes:
    return response_head(
        101, (("Connection", "Upgrade"), ("Upgrade", _SPDY), (_STREAM_PROTOCOL, protocol))
    )


def negotiate_websocket(request: Request, known: Sequence[str]) -> str:
    """The subprotocol to speak; "" when the client names none. Raises as negotiate_spdy."""
    if request.header("sec-websocket-version") != "13":
        raise BadRequest("websocket: unsupported version: 13 not found in 'Sec-Websocket-Version'")
    if not request.header("sec-websocket-key"):
        raise BadRequest("websocket: 'Sec-WebSocket-Key' header must not be empty")
    offered = request.header_values("sec-websocket-protocol")
    if not offered and "" in known:
        return ""
    return _choose(offered, known)


def websocket_answer(request: Request, protocol: str) -> bytes:
    headers = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", accept_key(request.header("sec-websocket-key"))),
    ]
    if protocol:
        headers.append(("Sec-WebSocket-Protocol", protocol))
    return response_head(101, headers)


def _choose(offered: Sequence[str], known: Sequence[str]) -> str:
    for protocol in known:
        if protocol in offered:
            return protocol
    raise NoCommonProtocol(
        f"unable to upgrade: unable to negotiate protocol: client supports {list(offered)}, "
        f"server accepts {list(known)}"
    )
