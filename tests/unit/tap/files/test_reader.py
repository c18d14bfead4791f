"""Capture files of both formats are read; what is none says so."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap.files.frame import CaptureFileError
from pilotfish.tap.files.reader import read_frames


def pcap(order: str, magic: int, fraction: int) -> bytes:
    header = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    return header + struct.pack(order + "IIII", 1000, fraction, 3, 60) + b"abc"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "fraction"), [(0xA1B2C3D4, 250_000), (0xA1B23C4D, 250_000_000)])
def test_pcap_is_read_in_both_orders_and_units(
    tmp_path: Path, order: str, magic: int, fraction: int
) -> None:
    (tmp_path / "f").write_bytes(pcap(order, magic, fraction))
    (frame,) = read_frames(tmp_path / "f")
    assert (frame.time_s, frame.data, frame.length, frame.link_type) == (1000.25, b"abc", 60, 1)


def test_a_file_that_is_cut_off_gives_what_is_there(tmp_path: Path) -> None:
    whole = pcap("<", 0xA1B2C3D4, 0)
    for size in range(24, len(whole)):
        (tmp_path / "f").write_bytes(whole[:size])
        assert list(read_frames(tmp_path / "f")) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no capture file: it begins with nothing"),
        (b"\x1f\x8b\x08\x00more", "neither pcap nor pcapng .compressed. unpack it first"),
        (pcap("<", 0xA1B2C3D4, 0)[:10], "cut off within the pcap file header"),
        (
            pcap("<", 0xA1B2C3D4, 0)[:24] + b"\xff" * 16,
            "is broken at byte 24: a frame of 4294967295 bytes",
        ),
        (b"\x0a\x0d\x0d\x0a" + bytes(20), "no byte-order magic"),
    ],
)
def test_a_file_that_is_no_capture_says_what_is_wrong(
    tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(CaptureFileError, match=words):
        list(read_frames(tmp_path / "f"))


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(CaptureFileError, match="No such file"):
        list(read_frames(tmp_path / "none"))


@given(st.binary(max_size=200), st.sampled_from([b"\x0a\x0d\x0d\x0a", b"\xd4\xc3\xb2\xa1"]))
def test_garbage_is_refused_or_read_and_never_breaks(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, magic: bytes
) -> None:
    path = tmp_path_factory.mktemp("garbage") / "f"
    path.write_bytes(magic + content)
    try:
        list(read_frames(path))
    except CaptureFileError as error:
        assert str(path) in str(error)
