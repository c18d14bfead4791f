"""HTTP/1.1 heads."""

from __future__ import annotations

import pytest

from pilotfish.node.streaming.http1 import (
    BadRequest,
    chunk,
    parse_request,
    response_head,
    whole_response,
)

HEAD = (
    b"POST /exec/default/web%2D1/app?command=sh&command=-c&command=a+b&tty=1&stdin=true"
    b" HTTP/1.1\r\n"
    b"Host: node\r\nConnection: keep-alive, Upgrade\r\nUpgrade: SPDY/3.1\r\n"
    b"X-Stream-Protocol-Version: v4.channel.k8s.io\r\n"
    b"x-stream-protocol-version: v3.channel.k8s.io\r\n\r\n"
)


def test_path_and_query_are_decoded() -> None:
    request = parse_request(HEAD)
    assert request.method == "POST"
    assert request.path == ("exec", "default", "web-1", "app")
    assert request.query["command"] == ["sh", "-c", "a b"]
    assert request.flag("tty") and request.flag("stdin") and not request.flag("stdout")


def test_headers_of_one_name_are_a_list_in_order() -> None:
    assert parse_request(HEAD).header_values("x-stream-protocol-version") == [
        "v4.channel.k8s.io",
        "v3.channel.k8s.io",
    ]


def test_an_upgrade_needs_both_headers() -> None:
    assert parse_request(HEAD).wants_upgrade("spdy/3.1")
    assert not parse_request(HEAD).wants_upgrade("websocket")
    without = HEAD.replace(b"Connection: keep-alive, Upgrade\r\n", b"")
    assert not parse_request(without).wants_upgrade("SPDY/3.1")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /\r\n\r\n",
        b"GET / SPDY/3\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nspace : x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(head: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_request(head)


def test_answers_are_framed() -> None:
    assert response_head(101, [("Upgrade", "SPDY/3.1")]) == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\n\r\n"
    )
    assert whole_response(404, b"gone").endswith(
        b"Content-Length: 4\r\nConnection: close\r\n\r\ngone"
    )
    assert chunk(b"x" * 17) == b"11\r\n" + b"x" * 17 + b"\r\n"
