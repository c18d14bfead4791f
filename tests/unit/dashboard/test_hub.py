"""Every viewer gets what it asked for, once; a slow one loses rows and is told."""

from __future__ import annotations

from typing import Any

import orjson

from pilotfish.dashboard import hub
from pilotfish.dashboard.hub import Hub, Viewer, Watching
from pilotfish.dashboard.searching import Past
from pilotfish.tap.filter import compile as compile_filter
from support.entries import entry


def numbered(number: int, **changes: Any) -> dict[str, Any]:
    return entry(
        id=f"node-1-{number:06d}", timestamp=f"2026-01-01T12:00:00.{number:06d}Z", **changes
    )


def watching(filter_text: str = "", probes: bool = False, is_live: bool = True) -> Watching:
    return Watching(7, compile_filter(filter_text), probes, is_live)


def viewer_of(watched: Watching, of: Hub, backlog: list[dict[str, Any]] | None = None) -> Viewer:
    made = Viewer()
    of.viewers.add(made)
    made.watch(watched)
    if backlog is not None:
        made.begin(watched, Past(backlog, None))
    return made


def taken(viewer: Viewer) -> list[dict[str, Any]]:
    return [orjson.loads(message) for message in viewer.take()]


def ids(messages: list[dict[str, Any]]) -> list[int]:
    return [int(row["id"][-6:]) for message in messages for row in message["rows"]]


def test_history_comes_first_and_then_what_happened_meanwhile() -> None:
    many = Hub()
    watched = watching()
    viewer = viewer_of(watched, many)
    many.hear(numbered(2))
    assert taken(viewer) == []
    viewer.begin(watched, Past([numbered(1)], None))
    backlog, live = taken(viewer)
    assert (backlog["backlog"], ids([backlog])) == (True, [1])
    assert (live["backlog"], ids([live])) == (False, [2])


def test_what_is_in_the_history_already_does_not_come_twice() -> None:
    many = Hub()
    watched = watching()
    viewer = viewer_of(watched, many)
    many.hear(numbered(1))
    many.hear(numbered(2))
    viewer.begin(watched, Past([numbered(0), numbered(1)], None))
    assert ids(taken(viewer)) == [0, 1, 2]


def test_the_same_id_at_another_time_is_another_entry() -> None:
    many = Hub()
    watched = watching()
    viewer = viewer_of(watched, many)
    many.hear(numbered(1))
    viewer.begin(watched, Past([numbered(1) | {"timestamp": "2025-01-01T12:00:00.000001Z"}], None))
    assert ids(taken(viewer)) == [1, 1]


def test_a_watch_without_history_says_so() -> None:
    viewer = viewer_of(watching(), Hub(), [])
    assert taken(viewer) == [
        {"type": "rows", "watch": 7, "backlog": True, "lost": 0, "reached": None, "rows": []}
    ]


def test_a_history_that_was_not_all_looked_at_says_how_far() -> None:
    viewer, watched = Viewer(), watching()
    viewer.watch(watched)
    viewer.begin(watched, Past([numbered(1)], 1_767_268_800_000_500))
    assert [message["reached"] for message in taken(viewer)] == [1_767_268_800_000.5]


def test_a_long_history_comes_in_several_messages_oldest_first() -> None:
    viewer = viewer_of(watching(), Hub(), [numbered(number) for number in range(2500)])
    messages = taken(viewer)
    assert [len(message["rows"]) for message in messages] == [1000, 1000, 500]
    assert ids(messages) == list(range(2500))


def test_each_viewer_sees_what_its_filter_lets_through() -> None:
    many = Hub()
    good = viewer_of(watching("status_code == 200"), many, [])
    bad = viewer_of(watching("status_code >= 500"), many, [])
    many.hear(numbered(1))
    many.hear(numbered(2, status_code=503))
    assert (ids(taken(good)), ids(taken(bad))) == ([1], [2])


def test_probes_are_for_who_wants_them() -> None:
    many = Hub()
    without = viewer_of(watching(), many, [])
    with_them = viewer_of(watching(probes=True), many, [])
    many.hear(numbered(1, probe=True))
    assert (ids(taken(without)), ids(taken(with_them))) == ([], [1])


def test_a_watch_of_the_past_gets_nothing_new() -> None:
    many = Hub()
    viewer = viewer_of(watching(is_live=False), many, [numbered(1)])
    many.hear(numbered(2))
    assert ids(taken(viewer)) == [1]


def test_a_viewer_that_is_too_slow_keeps_the_newest_and_is_told_how_many_it_lost() -> None:
    many = Hub()
    slow = viewer_of(watching(), many, [])
    quick = viewer_of(watching(), many, [])
    slow.take()
    quick.take()
    for number in range(hub.MAX_WAITING + 5):
        many.hear(numbered(number))
        if number == 100:
            assert ids(taken(quick))[-1] == 100
    (message,) = taken(slow)
    assert (message["lost"], len(message["rows"])) == (5, hub.MAX_WAITING)
    assert ids([message])[0] == 5
    many.hear(numbered(1))
    assert taken(slow)[0]["lost"] == 0


def test_a_new_watch_replaces_the_old_one_with_its_backlog() -> None:
    many = Hub()
    old, new = watching(), watching()
    viewer = viewer_of(old, many, [numbered(1)])
    viewer.watch(new)
    viewer.begin(old, Past([numbered(2)], None))
    viewer.begin(new, Past([numbered(3)], None))
    assert ids(taken(viewer)) == [3]


def test_of_messages_that_replace_each_other_the_newest_is_sent() -> None:
    many = Hub()
    viewer = Viewer()
    many.viewers.add(viewer)
    for number in range(3):
        many.post("status", b'{"type":"status","n":%d}' % number)
    many.post("map", b'{"type":"map"}')
    assert taken(viewer) == [{"type": "status", "n": 2}, {"type": "map"}]
    assert taken(viewer) == []
