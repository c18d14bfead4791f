"""`pilotfish tap --since` as a command: what it refuses, and how it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pilotfish.tap.history.folders import history_folder
from pilotfish.tap.history.history import History
from support.entries import entry


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "pilotfish", "tap", *words]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "5min"), "--since; '5min' is no time: give a duration, such as 30s, 5m"),
        (("--since", "5m"), "no context is current; `pilotfish proxy` records while it runs"),
        (("--since", "5m", "--read", "x"), "--since and --read"),
        (("--since", "5m", "--no-redact"), "the history holds no secrets"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(words: tuple[str, ...], said: str) -> None:
    done = subprocess.run(command(*words), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_long_search_is_stopped_without_a_word(number: signal.Signals) -> None:
    history = History(history_folder("c"))
    for _ in range(20):
        for _ in range(5000):
            history.record(entry())
        history.flush()
    history.record(entry(timestamp="2026-01-01T00:00:00.000000Z", summary="found first"))
    history.close()
    # It has begun to search when the first is found.
    words = ("--since", "2025-01-01T00:00:00Z", "--filter", 'summary.endsWith("first")')
    with subprocess.Popen(
        command(*words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        # As shells begin what runs in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    ) as process:
        assert process.stdout is not None
        assert "found first" in process.stdout.readline()
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert [line for line in errors.splitlines() if "the history of context" not in line] == []


def test_an_error_shows_what_its_cause_would_hide() -> None:
    done = subprocess.run(command("--read", "no\x1b[31m\x9b\u202e"), capture_output=True, text=True)
    assert done.returncode == 1
    assert "no\\e[31m\\x9b\\u202e" in done.stderr
