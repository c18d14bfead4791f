"""Heads of upgrades."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.connect.upgrade_head import (
    BadAnswer,
    parse_answer,
    upgrade_request,
    wants_upgrade,
)


def test_the_clients_headers_go_on_without_its_secrets() -> None:
    headers = [
        ("Host", "127.0.0.1:6443"),
        ("Authorization", "Bearer secret"),
        ("Impersonate-User", "alice"),
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "SPDY/3.1"),
        ("X-Stream-Protocol-Version", "v4.channel.k8s.io"),
        ("X-Stream-Protocol-Version", "v3.channel.k8s.io"),
    ]
    assert upgrade_request("POST", "/exec/a/b/c", "10.0.0.1:10250", "SPDY/3.1", headers) == (
        b"POST /exec/a/b/c HTTP/1.1\r\n"
        b"Host: 10.0.0.1:10250\r\n"
        b"X-Stream-Protocol-Version: v4.channel.k8s.io\r\n"
        b"X-Stream-Protocol-Version: v3.channel.k8s.io\r\n"
        b"Connection: Upgrade\r\n"
        b"Upgrade: SPDY/3.1\r\n\r\n"
    )


def test_an_answer_is_read() -> None:
    answer = parse_answer(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nX-A: 1 : 2\r\n\r\n"
    )
    assert answer.status == 101
    assert answer.header("upgrade") == "SPDY/3.1"
    assert answer.header("x-a") == "1 : 2"


@pytest.mark.parametrize("head", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 one OK\r\n\r\n"])
def test_what_is_no_answer_is_refused(head: bytes) -> None:
    with pytest.raises(BadAnswer):
        parse_answer(head)


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"Connection": "Upgrade", "Upgrade": "websocket"}, True),
        ({"Connection": "keep-alive, upgrade", "Upgrade": "SPDY/3.1"}, True),
        ({"Connection": "keep-alive", "Upgrade": "websocket"}, False),
        ({"Connection": "Upgrade"}, False),
        ({}, False),
    ],
)
def test_an_upgrade_needs_both_headers(headers: dict[str, str], wanted: bool) -> None:
    assert wants_upgrade(headers) is wanted
