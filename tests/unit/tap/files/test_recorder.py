"""What is tapped is written so that Wireshark shows names and what each packet began."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

import pytest

from pilotfish.tap.files.frame import CaptureFileError, Frame
from pilotfish.tap.files.pcapng import PcapngStream
from pilotfish.tap.files.reader import read_frames
from pilotfish.tap.files.recorder import HOLD_S, Recorder, private_file
from support.entries import entry
from support.wire import tcp

CLIENT, SERVICE = ("10.244.0.5", 40000), ("10.96.0.20", 80)
BEGAN_S = 1767268800.25  # the entry's timestamp


def frame(time_s: float, data: bytes) -> Frame:
    return Frame(time_s, data, len(data), 1, "eth0")


REQUEST = frame(
    BEGAN_S, tcp(CLIENT, SERVICE, 1, 1, payload=b"GET /demo/hello?x=1 HTTP/1.1\r\n\r\n")
)
ANSWER = frame(BEGAN_S + 0.001, tcp(SERVICE, CLIENT, 1, 32, payload=b"HTTP/1.1 200 OK\r\n\r\n"))


def recorded(*steps: Frame | dict[str, object]) -> bytes:
    file = io.BytesIO()
    recorder = Recorder(file)
    for step in steps:
        if isinstance(step, Frame):
            recorder.packet(step)
        else:
            recorder.entry(step)
    recorder.close()
    return file.getvalue()


def shown(tmp_path: Path, content: bytes) -> list[str]:
    """What tshark makes of a file: source name, target name, comment of each packet."""
    path = tmp_path / "tapped.pcapng"
    path.write_bytes(content)
    fields = ["-e", "ip.src_host", "-e", "ip.dst_host", "-e", "frame.comment"]
    done = subprocess.run(
        ["tshark", "-r", path, "-N", "n", "-W", "n", "-T", "fields", *fields],
        capture_output=True,
        text=True,
        check=True,
    )
    warnings = [said for said in done.stderr.splitlines() if "Running as user" not in said]
    assert not warnings
    return done.stdout.splitlines()


def test_tshark_shows_names_and_the_requests_line_at_its_packet(tmp_path: Path) -> None:
    request, answer = shown(tmp_path, recorded(REQUEST, ANSWER, entry()))
    assert request == (
        "default/client\tdefault/api\t"
        "default/client → default/api → default/api-1: GET /demo/hello?x=1 → 200"
    )
    assert answer == "default/api\tdefault/client\t"


def test_the_line_of_a_slow_request_stands_at_its_last_packet(tmp_path: Path) -> None:
    late = ANSWER._replace(time_s=BEGAN_S + HOLD_S + 1)
    request, answer = shown(tmp_path, recorded(REQUEST, late, entry()))
    assert request.endswith("\t")
    assert answer.endswith("GET /demo/hello?x=1 → 200")


def test_what_is_written_is_read_again_whole_and_in_pieces(tmp_path: Path) -> None:
    content = recorded(REQUEST, ANSWER, entry())
    (tmp_path / "f.pcapng").write_bytes(content)
    frames = list(read_frames(tmp_path / "f.pcapng"))
    assert [each.data for each in frames] == [REQUEST.data, ANSWER.data]
    assert frames[0].interface == "eth0"
    stream = PcapngStream()
    crumbs = [each for byte in content for each in stream.feed(bytes((byte,)))]
    assert crumbs == frames


def test_a_hostile_name_or_path_is_escaped_in_comments(tmp_path: Path) -> None:
    hostile = entry(summary="GET /\x1b[2J → 200")
    request, _ = shown(tmp_path, recorded(REQUEST, ANSWER, hostile))
    assert "\\e[2J" in request


@pytest.mark.parametrize(
    ("place", "said"), [("missing/x", "No such file or directory"), ("", "Is a directory")]
)
def test_a_place_where_no_file_can_be_is_named(tmp_path: Path, place: str, said: str) -> None:
    with pytest.raises(CaptureFileError, match=f"{tmp_path / place}: {said}"):
        private_file(tmp_path / place)


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    with private_file(tmp_path / "x") as file:
        assert os.fstat(file.fileno()).st_mode & 0o777 == 0o600
