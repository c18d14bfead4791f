"""Secrets are their owner's alone; a proxy that runs is known to other commands."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pilotfish.dashboard.state import Record, Running, secret, state_folder

RUNNING = Running("http://127.0.0.1:8899", "", "pilotfish-default", "run-1", 42)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_made_for_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert state_folder() == tmp_path / "state" / "pilotfish"
    assert rights(state_folder()) == 0o700


def test_a_folder_that_others_may_read_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "pilotfish").mkdir(mode=0o755)
    assert rights(state_folder()) == 0o700


def test_a_path_that_is_not_absolute_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder() == tmp_path / ".local/state/pilotfish"


def test_a_secret_is_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    made = secret(tmp_path, "key")
    assert secret(tmp_path, "key") == made
    assert secret(tmp_path, "other") != made
    assert rights(tmp_path / "key") == 0o600
    assert len(bytes.fromhex(made)) == 32


def test_a_secret_that_others_may_read_is_closed(tmp_path: Path) -> None:
    made = secret(tmp_path, "key")
    (tmp_path / "key").chmod(0o644)
    assert secret(tmp_path, "key") == made
    assert rights(tmp_path / "key") == 0o600


@pytest.mark.parametrize("content", ["", "abc\n", "zz" * 32])
def test_a_secret_that_is_none_is_made_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    assert len(bytes.fromhex(secret(tmp_path, "key"))) == 32


def test_a_proxy_is_known_for_as_long_as_it_runs(tmp_path: Path) -> None:
    record = Record(tmp_path, 8899)
    record.write(RUNNING)
    assert Record(tmp_path, 8899).read() == RUNNING
    assert Record(tmp_path, 8900).read() is None
    assert rights(tmp_path / "proxy-8899.json") == 0o600
    record.close()
    assert Record(tmp_path, 8899).read() is None


def test_of_two_on_one_port_the_first_stays_known(tmp_path: Path) -> None:
    first, second = Record(tmp_path, 8899), Record(tmp_path, 8899)
    first.write(RUNNING)
    with pytest.raises(BlockingIOError):
        second.write(Running("http://192.168.1.5:8899", "", "other", "run-2", 43))
    second.close()
    assert Record(tmp_path, 8899).read() == RUNNING
    first.close()


def test_a_proxy_that_was_killed_is_not_known(tmp_path: Path) -> None:
    record = Record(tmp_path, 8899)
    record.write(RUNNING)
    left = (tmp_path / "proxy-8899.json").read_bytes()
    record.close()
    (tmp_path / "proxy-8899.json").write_bytes(left)
    assert Record(tmp_path, 8899).read() is None
