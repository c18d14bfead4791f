"""Viewers get what they asked for; a slow one loses some of it and is told."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pytest

from pilotfish.tap import viewing
from pilotfish.tap.files.pcapng import read_pcapng
from pilotfish.tap.ring import CapturedFrame
from pilotfish.tap.viewing import EntryViewer, Outbox, PacketViewer


async def everything(outbox: Outbox) -> bytes:
    batches = outbox.batches()
    found = b""
    while outbox.queued_bytes:
        found += await anext(batches)
    return found


async def test_what_is_put_in_comes_out_in_order() -> None:
    outbox = Outbox()
    for number in range(1000):
        outbox.put(b"%d\n" % number)
    assert await everything(outbox) == b"".join(b"%d\n" % number for number in range(1000))


async def test_a_full_outbox_drops_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "MAX_QUEUED_BYTES", 10)
    outbox = Outbox()
    for piece in (b"12345", b"67890", b"lost", b"lost"):
        outbox.put(piece)
    outbox.put(b"status", vital=True)
    assert outbox.dropped == 2
    assert await everything(outbox) == b"1234567890status"


async def test_there_is_room_again_once_something_was_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(viewing, "MAX_QUEUED_BYTES", 4)
    outbox = Outbox()
    outbox.put(b"1234")
    batches = outbox.batches()
    assert await anext(batches) == b"1234"
    outbox.put(b"5678")
    assert await anext(batches) == b"5678"
    assert outbox.dropped == 0


def test_probes_are_for_those_who_ask_for_them() -> None:
    probe, request = {"probe": True, "method": "GET"}, {"probe": False, "method": "GET"}
    ordinary = EntryViewer(lambda entry: entry["method"] == "GET", probes=False, redact=True)
    curious = EntryViewer(lambda _: True, probes=True, redact=True)
    assert [ordinary.wants(entry) for entry in (probe, request)] == [False, True]
    assert curious.wants(probe)
    assert not ordinary.wants({"probe": False, "method": "POST"})


async def test_how_things_stand_is_a_line_of_json() -> None:
    viewer = EntryViewer(lambda _: True, probes=False, redact=True)
    viewer.tell({"worker": {"packets": 1}})
    assert orjson.loads(await everything(viewer.outbox)) == {"worker": {"packets": 1}}


def party(kind: str, name: str, namespace: str) -> dict[str, Any]:
    return {"kind": kind, kind: {"name": name, "namespace": namespace}}


def test_packets_are_chosen_by_namespace_and_name() -> None:
    web, db = party("pod", "web", "shop"), party("service", "db", "store")
    assert [PacketViewer().wants(each) for each in (web, db, {"kind": "host"})] == [True] * 3
    assert [PacketViewer("shop").wants(each) for each in (web, db, {"kind": "host"})] == [
        True,
        False,
        False,
    ]
    assert PacketViewer("", ["db"]).wants(db)
    assert PacketViewer("", ["d.*"]).wants(db)
    assert not PacketViewer("", ["d"]).wants(db)
    assert not PacketViewer("store", ["web"]).wants(web)


async def test_packets_come_as_a_pcapng_file() -> None:
    viewer = PacketViewer()
    for number in range(3):
        data = bytes([number]) * (60 + number)
        viewer.offer(CapturedFrame(1.5 + number, data, 100, 7 + number % 2, False), f"veth{number}")
    file = io.BytesIO(await everything(viewer.outbox))
    file.read(4)
    assert [(frame.time_s, frame.data, frame.length) for frame in read_pcapng(file)] == [
        (1.5 + number, bytes([number]) * (60 + number), 100) for number in range(3)
    ]
