"""Agreeing on a protocol."""

from __future__ import annotations

import pytest

from pilotfish.node.streaming.http1 import BadRequest, Request
from pilotfish.node.streaming.negotiation import (
    NoCommonProtocol,
    negotiate_spdy,
    negotiate_websocket,
    spdy_answer,
    websocket_answer,
)

KNOWN = ("v4.channel.k8s.io", "channel.k8s.io")


def request(**headers: str) -> Request:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request("POST", ("exec",), {}, (("connection", "Upgrade"), *pairs))


def websocket(*protocols: str) -> Request:
    return request(
        upgrade="websocket",
        sec_websocket_version="13",
        sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ==",
        sec_websocket_protocol=", ".join(protocols),
    )


def test_the_servers_first_choice_that_the_client_knows_wins() -> None:
    offer = request(
        upgrade="SPDY/3.1", x_stream_protocol_version="channel.k8s.io, v4.channel.k8s.io"
    )
    assert negotiate_spdy(offer, KNOWN) == "v4.channel.k8s.io"
    assert negotiate_websocket(websocket("channel.k8s.io", "v5"), KNOWN) == "channel.k8s.io"


def test_a_spdy_client_that_names_no_protocol_is_of_the_first_version() -> None:
    assert negotiate_spdy(request(upgrade="SPDY/3.1"), KNOWN) == "channel.k8s.io"


def test_a_websocket_client_may_name_no_protocol_where_that_is_known() -> None:
    assert negotiate_websocket(websocket(), (*KNOWN, "")) == ""
    with pytest.raises(NoCommonProtocol):
        negotiate_websocket(websocket(), KNOWN)


def test_without_a_common_protocol_both_sides_are_named() -> None:
    offer = request(upgrade="SPDY/3.1", x_stream_protocol_version="v9.channel.k8s.io")
    with pytest.raises(NoCommonProtocol, match=r"v9\.channel.*v4\.channel"):
        negotiate_spdy(offer, KNOWN)


def test_a_plain_request_is_told_what_is_missing() -> None:
    with pytest.raises(BadRequest, match="missing upgrade headers"):
        negotiate_spdy(request(), KNOWN)


def test_a_handshake_without_key_or_version_is_refused() -> None:
    with pytest.raises(BadRequest, match="version"):
        negotiate_websocket(request(upgrade="websocket"), KNOWN)
    with pytest.raises(BadRequest, match="Key"):
        negotiate_websocket(request(upgrade="websocket", sec_websocket_version="13"), KNOWN)


def test_the_answers_name_the_protocol() -> None:
    assert b"\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n" in spdy_answer(KNOWN[0])
    answer = websocket_answer(websocket("v4.channel.k8s.io"), "v4.channel.k8s.io")
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer
    assert b"\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n" in answer
    assert b"Sec-WebSocket-Protocol" not in websocket_answer(websocket(), "")
