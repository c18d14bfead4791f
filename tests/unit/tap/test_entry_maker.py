"""Exchanges wait for their turn, and become entries with the names of their connection."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pilotfish.tap import entry_maker
from pilotfish.tap.capture import Route
from pilotfish.tap.connection import Connection
from pilotfish.tap.conntrack import Endpoint
from pilotfish.tap.entry import Entry
from pilotfish.tap.entry_maker import EntryMaker
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.identity import Identity
from support.workloads import make_pod, make_service

CLIENT, SERVICE, POD = "10.244.0.2", "10.96.0.50", "10.244.0.3"
NODE = "10.244.0.1"
NOW = 1_700_000_000.0


class FakeCapture:
    """Answers for connection tracking, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.route = Route(endpoint=Endpoint(ip_address(POD).packed, 8080))

    def route_of(self, connection: Connection) -> Route:
        self.asked += 1
        return self.route


class Maker:
    """An entry maker, and what it made."""

    def __init__(self) -> None:
        self.identity = Identity()
        self.identity.service_changed(None, make_service("web"), NOW)
        self.identity.pod_changed(None, make_pod("web-1", ip=POD), NOW)
        self.capture = FakeCapture()
        self.entries: list[Entry] = []
        self.maker = EntryMaker(self.identity, "node-1", lambda each: self.entries.append(each))

    def add(self, connection: Connection, time_s: float = NOW) -> None:
        exchange = Exchange("tcp", connection, None, time_s, end_s=time_s)
        self.maker.add(exchange, self.capture)  # type: ignore[arg-type]

    def made(self) -> list[Entry]:
        while self.maker.work(1.0):
            pass
        return [entry.whole() for entry in self.entries]  # type: ignore[attr-defined]


@pytest.fixture
def maker() -> Maker:
    return Maker()


def connection(port: int = 40000) -> Connection:
    return Connection(ip_address(CLIENT).packed, port, ip_address(SERVICE).packed, 80, NOW)


def test_an_entry_names_the_service_and_the_pod_that_was_chosen(maker: Maker) -> None:
    maker.add(connection())
    (entry,) = maker.made()
    assert entry["dst"]["service"]["name"] == "web"
    assert entry["endpoint"]["pod"]["name"] == "web-1"
    assert entry["endpoint"]["port"] == 8080
    assert entry["id"] == "node-1-000001"


def test_connection_tracking_is_asked_once_for_a_connection(maker: Maker) -> None:
    one, other = connection(), connection(40001)
    for each in (one, one, other, one):
        maker.add(each)
    assert len(maker.made()) == 4
    assert maker.capture.asked == 2


def test_what_entered_elsewhere_is_not_told(maker: Maker) -> None:
    maker.capture.route = Route(passing=True)
    maker.add(connection())
    assert maker.made() == []


def test_what_a_node_asked_for_is_told_though_the_packets_do_not_show_it(maker: Maker) -> None:
    pod = Endpoint(ip_address(POD).packed, 8080)
    maker.capture.route = Route(asked=Endpoint(ip_address(SERVICE).packed, 80), endpoint=pod)
    maker.add(Connection(ip_address(NODE).packed, 40000, pod.address, pod.port, NOW))
    (entry,) = maker.made()
    assert (entry["dst"]["service"]["name"], entry["endpoint"]["name"]) == ("web", "web-1")


def test_an_entry_that_nobody_can_take_keeps_nobody_from_the_next(maker: Maker) -> None:
    took: list[int] = []

    def deliver(entry: Entry) -> None:
        took.append(entry["src"]["port"])
        if entry["src"]["port"] == 1:
            raise ValueError("a fault of ours")

    maker.maker = EntryMaker(maker.identity, "node-1", deliver)
    maker.add(connection(1))
    maker.add(connection(2))
    maker.made()
    assert took == [1, 2]


def test_names_that_change_during_a_connection_are_seen(maker: Maker) -> None:
    lasting = connection()
    maker.add(lasting)
    maker.made()
    maker.identity.pod_changed(None, make_pod("client", ip=CLIENT), NOW + 1)
    maker.add(lasting, NOW + 10)
    assert [entry["src"]["name"] for entry in maker.made()] == [CLIENT, "client"]


def test_a_full_queue_skips_and_counts(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_maker, "MAX_WAITING", 2)
    for port in range(5):
        maker.add(connection(port))
    assert maker.maker.skipped == 3
    assert len(maker.made()) == 2
    maker.add(connection(9))
    assert len(maker.made()) == 3


def test_nothing_is_made_of_what_waits_when_the_capture_is_over(maker: Maker) -> None:
    maker.add(connection())
    maker.maker.forget()
    assert maker.made() == []
