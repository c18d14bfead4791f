"""What is shown can be taken away as JSON, HAR or pcapng."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

from pilotfish.tap.entry import timestamp
from pilotfish.tap.files.frame import Frame
from pilotfish.tap.history import download
from pilotfish.tap.history.packets import PacketHistory, PacketView
from support.entries import entry, pod
from support.wire import tcp

NOON_S = 1767268800.0
SERVICE = ("10.96.0.20", 80)


def request(port: int, second: float, opened: float | None = None, **changes: Any) -> Any:
    """A request of the client's port through the Service to the Pod."""
    began = NOON_S + (second if opened is None else opened)
    conn = {"id": f"10.244.0.5:{port}>10.96.0.20:80@{began:.6f}", "first": True, "whole": True}
    return entry(
        timestamp=timestamp(NOON_S + second),
        src=pod("client", "10.244.0.5", port),
        conn=conn,
        **changes,
    )


def packets(port: int, second: float) -> list[Frame]:
    """A request's packet and its answer's, as seen where the client's enter the cluster."""
    client = ("10.244.0.5", port)
    there, back = tcp(client, SERVICE, 1, 1), tcp(SERVICE, client, 1, 1)
    return [
        Frame(NOON_S + second, there, len(there), 1, "eth0"),
        Frame(NOON_S + second + 1e-3, back, len(back), 1, "eth0"),
    ]


def recorded(folder: Path, *frames: Frame) -> PacketView:
    history = PacketHistory(folder)
    for frame in frames:
        history.record(frame)
    history.close()
    return PacketView(folder)


def shown(folder: Path, pieces: Generator[bytes, None, None]) -> list[tuple[str, ...]]:
    """What tshark makes of a file: source, target, comment of each packet."""
    path = folder / "taken.pcapng"
    path.write_bytes(b"".join(pieces))
    fields = ["-e", "ip.src_host", "-e", "ip.dst_host", "-e", "frame.comment"]
    done = subprocess.run(
        ["tshark", "-r", path, "-N", "n", "-W", "n", "-T", "fields", *fields],
        capture_output=True,
        text=True,
        check=True,
    )
    warnings = [said for said in done.stderr.splitlines() if "Running as user" not in said]
    assert not warnings
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


def test_json_is_an_array_of_entries() -> None:
    entries = [request(40000, 0), request(40001, 1)]
    assert json.loads(b"".join(download.json(entries))) == entries
    assert json.loads(b"".join(download.json([]))) == []


def test_har_holds_the_http_entries() -> None:
    entries = [request(40000, 0), request(40001, 1, protocol="dns"), request(40002, 2)]
    log = json.loads(b"".join(download.har(entries)))["log"]
    assert [each["startedDateTime"] for each in log["entries"]] == [
        entries[0]["timestamp"],
        entries[2]["timestamp"],
    ]
    assert json.loads(b"".join(download.har([])))["log"]["entries"] == []


def test_a_file_is_made_while_it_is_sent() -> None:
    endless = (request(40000, number) for number in itertools.count())
    for make in (download.json, download.har):
        first, second = itertools.islice(make(endless), 2)
        assert 1 << 15 < len(first) < 1 << 18
        assert 1 << 15 < len(second) < 1 << 18


def test_tshark_shows_the_names_and_the_comment(tmp_path: Path) -> None:
    view = recorded(tmp_path, *packets(40000, 0.25), *packets(40001, 0.25))
    assert shown(tmp_path, download.pcapng([request(40000, 0.25)], view)) == [
        (
            "default/client",
            "default/api",
            "default/client → default/api → default/api-1: GET /demo/hello?x=1 → 200",
        ),
        ("default/api", "default/client", ""),
    ]


def test_each_request_of_a_connection_has_its_comment(tmp_path: Path) -> None:
    view = recorded(tmp_path, *packets(40000, 0), *packets(40000, 10), *packets(40000, 20))
    entries = [request(40000, second, opened=0, summary=f"at {second}") for second in (0, 10)]
    lines = shown(tmp_path, download.pcapng(entries, view))
    assert [line[2].rpartition(": ")[2] for line in lines if line[2]] == ["at 0", "at 10"]
    assert len(lines) == 4


def test_a_connection_is_taken_from_its_beginning(tmp_path: Path) -> None:
    view = recorded(tmp_path, *packets(40000, 0), *packets(40000, 10), *packets(40000, 20))
    taken = download.pcapng([request(40000, 10, opened=0)], view)
    assert len(shown(tmp_path, taken)) == 4


def test_another_connection_between_the_same_ports_is_left_out(tmp_path: Path) -> None:
    view = recorded(tmp_path, *packets(40000, 0), *packets(40000, 10))
    assert len(shown(tmp_path, download.pcapng([request(40000, 10)], view))) == 2


def test_entries_whose_packets_are_gone_leave_an_empty_file(tmp_path: Path) -> None:
    view = recorded(tmp_path, *packets(40000, 100))
    assert shown(tmp_path, download.pcapng([request(40001, 0)], view)) == []
    nothing = PacketView(tmp_path / "nowhere")
    assert shown(tmp_path, download.pcapng([request(40001, 0)], nothing)) == []


def test_entries_without_an_endpoint_have_packets_too(tmp_path: Path) -> None:
    view = recorded(tmp_path, *packets(40000, 0))
    refused = request(40000, 0, elapsed_time=None)
    del refused["endpoint"]
    assert len(shown(tmp_path, download.pcapng([refused], view))) == 2
