"""A container's last words, however much it wrote."""

from __future__ import annotations

from pathlib import Path

from pilotfish.node.termination_message import read_termination_message


def test_the_end_of_a_huge_message_is_kept(tmp_path: Path) -> None:
    """The kubelet reads the last 4,096 bytes; the file may be sparse and of any size."""
    message = tmp_path / "message"
    with message.open("wb") as file:
        file.truncate(500 << 30)
        file.seek(0, 2)
        file.write(b"x" * 5000 + b"the end")
    read = read_termination_message(message, tmp_path / "log", {}, 1)
    assert len(read) == 4096
    assert read.endswith("xthe end")


def test_a_short_message_is_kept_whole(tmp_path: Path) -> None:
    (tmp_path / "message").write_text("done")
    assert read_termination_message(tmp_path / "message", tmp_path / "log", {}, 0) == "done"


def test_no_message_is_an_empty_one(tmp_path: Path) -> None:
    assert read_termination_message(tmp_path / "none", tmp_path / "log", {}, 1) == ""
