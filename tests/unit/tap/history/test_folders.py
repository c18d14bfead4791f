"""Each context has a folder of its own in the user's state folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap.history.folders import history_folder, history_root, known_histories


def test_histories_are_in_the_users_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert history_folder("pilotfish-default") == Path(
        "/somewhere/pilotfish/history/pilotfish-default"
    )


@pytest.mark.parametrize("given_", ["", "not/absolute"])
def test_without_such_a_folder_they_are_below_home(
    monkeypatch: pytest.MonkeyPatch, given_: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", given_)
    monkeypatch.setenv("HOME", "/home/me")
    assert history_root() == Path("/home/me/.local/state/pilotfish/history")


@given(st.text(), st.text())
def test_contexts_with_odd_names_do_not_meet_and_do_not_leave_the_folder(
    one: str, other: str
) -> None:
    folder = history_folder(one)
    assert folder.parent == history_root()
    assert folder.name not in ("", ".", "..")
    assert len(folder.name) < 100
    assert (folder == history_folder(other)) == (one == other)


def test_the_histories_that_there_are_have_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert known_histories() == []
    for context in ("kind", "arn:aws:eks/a"):
        history_folder(context).mkdir(parents=True)
    assert known_histories() == [history_folder("arn:aws:eks/a").name, "kind"]
