"""What pages say is one of the messages that there are, or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.dashboard.live import as_follow, as_watch

WATCH = {
    "type": "watch", "watch": 1, "filter": "http", "since": "", "until": "", "limit": 100,
    "probes": False,
}  # fmt: skip
FOLLOW = {"type": "follow", "services": True, "map": False, "window_s": 60}


def test_messages_are_what_they_say() -> None:
    assert as_watch(WATCH) == WATCH
    assert as_follow(FOLLOW) == FOLLOW
    assert as_watch(FOLLOW) is None
    assert as_follow(WATCH) is None


@pytest.mark.parametrize(
    "change",
    [{"watch": "1"}, {"watch": True}, {"filter": None}, {"limit": 1.5}, {"probes": 0}, {"type": 1}],
)
def test_a_watch_whose_fields_are_of_other_types_is_none(change: dict[str, Any]) -> None:
    assert as_watch(WATCH | change) is None


@pytest.mark.parametrize("change", [{"window_s": 0}, {"window_s": 10**9}, {"map": 1}])
def test_a_follow_whose_fields_make_no_sense_is_none(change: dict[str, Any]) -> None:
    assert as_follow(FOLLOW | change) is None


@pytest.mark.parametrize("message", [None, [], "watch", 1, {}, {"type": "watch"}])
def test_anything_else_is_nothing(message: object) -> None:
    assert as_watch(message) is None
    assert as_follow(message) is None
