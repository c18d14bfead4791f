"""The question `up` asks the cluster's DNS."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from pilotfish.cluster import readiness


def answer_once(make: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Resolve a name against a server that answers `make(query)`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        monkeypatch.setattr(readiness, "_DNS_PORT", server.getsockname()[1])

        def serve() -> None:
            query, client = server.recvfrom(4096)
            server.sendto(make(query), client)

        thread = threading.Thread(target=serve)
        thread.start()
        found = readiness.resolve("127.0.0.1", "kubernetes.default.svc.cluster.local")
        thread.join()
        return found


def test_addresses_are_read_behind_compressed_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(query: bytes) -> bytes:
        header = query[:2] + b"\x85\x80\0\1\0\1\0\0\0\0"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4" + socket.inet_aton("10.96.0.1")
        return header + query[12:] + record

    assert answer_once(make, monkeypatch) == ["10.96.0.1"]


def test_a_name_that_does_not_exist_has_no_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(query: bytes) -> bytes:
        return query[:2] + b"\x85\x83\0\1\0\0\0\0\0\0" + query[12:]

    assert answer_once(make, monkeypatch) == []


def test_nobody_there_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setattr(readiness, "_DNS_PORT", unused.getsockname()[1])
    assert readiness.resolve("127.0.0.1", "a.b") == []
