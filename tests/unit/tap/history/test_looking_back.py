"""`pilotfish tap --since` shows what was recorded, and says what was not."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from pilotfish.tap.entry import timestamp
from pilotfish.tap.files.frame import Frame
from pilotfish.tap.files.reader import read_frames
from pilotfish.tap.history.errors import HistoryError
from pilotfish.tap.history.folders import history_folder
from pilotfish.tap.history.history import History
from pilotfish.tap.history.packets import PacketHistory
from pilotfish.tap.history.since import SinceError
from pilotfish.tap.stats import Stats
from pilotfish.tap.tapping import Options, Tapping
from support.entries import entry, pod, service
from support.wire import tcp


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user whose cluster is down, and who has nothing yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))


def kubeconfig(tmp_path: Path, current: str, namespace: str = "default") -> None:
    (tmp_path / "kubeconfig").write_text(
        json.dumps(
            {
                "current-context": current,
                "contexts": [
                    {"name": current, "context": {"cluster": "c", "namespace": namespace}}
                ],
                "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
            }
        )
    )


def ago(seconds: float, **changes: Any) -> dict[str, Any]:
    at_s = time.time() - seconds
    conn = {"id": f"10.244.0.5:40000>10.96.0.20:80@{at_s:.6f}", "first": True, "whole": True}
    return entry(timestamp=timestamp(at_s), **{"conn": conn, **changes})


def record(context: str, *entries: dict[str, Any]) -> None:
    history = History(history_folder(context))
    for each in entries:
        history.record(each)
    history.close()


async def shown(**options: Any) -> tuple[list[str], list[str]]:
    """The summaries that are shown, and what is said beside them."""
    out, said = io.BytesIO(), list[str]()
    tapping = Tapping(Options(**{"output": "json", **options}), out, lambda _: None, said.append)
    await tapping.run()
    return [json.loads(line)["summary"] for line in out.getvalue().splitlines()], said


async def test_what_happened_since_then_is_shown_in_order_of_time() -> None:
    record("c", ago(500, summary="too old"), ago(20, summary="two"), ago(250, summary="one"))
    assert await shown(since="5m") == (["one", "two"], [])


async def test_selection_filter_and_probes_are_as_when_tapping() -> None:
    there = service("api", "10.96.0.20", namespace="shop")
    strangers = {
        "src": pod("x", "10.244.0.9", namespace="shop"),
        "dst": there,
        "endpoint": pod("y", "10.244.0.8", namespace="shop"),
    }
    record(
        "c",
        ago(900, summary="first"),
        ago(50, summary="shop", **strangers),
        ago(40, summary="failed", status_code=500),
        ago(30, summary="probe", probe=True),
    )
    assert (await shown(since="5m"))[0] == ["failed"]
    assert (await shown(since="5m", probes=True))[0] == ["failed", "probe"]
    assert (await shown(since="5m", all_namespaces=True))[0] == ["shop", "failed"]
    assert (await shown(since="5m", namespace="shop"))[0] == ["shop"]
    assert (await shown(since="5m", names=("nobody",)))[0] == []
    assert (await shown(since="5m", filter_text="status_code == 500"))[0] == ["failed"]
    recent = 'timestamp > now() - duration("35s")'
    assert (await shown(since="5m", filter_text=recent, probes=True))[0] == ["probe"]


async def test_the_namespace_is_the_contexts(tmp_path: Path) -> None:
    kubeconfig(tmp_path, "c", namespace="shop")
    there = service("api", "10.96.0.20", namespace="shop")
    record("c", ago(900), ago(20, summary="default"), ago(10, summary="shop", dst=there))
    assert (await shown(since="5m"))[0] == ["shop"]


async def test_where_the_history_begins_later_it_says_so() -> None:
    record("c", ago(20, summary="one"))
    entries, (line,) = await shown(since="5m")
    assert entries == ["one"]
    assert line.startswith("the history of context c begins at ")
    assert line.endswith("`pilotfish proxy` records while it runs")


async def test_where_the_history_ended_before_it_says_so() -> None:
    record("c", ago(500))
    entries, (line,) = await shown(since="5m")
    assert entries == []
    assert line.startswith("the history of context c ends at ")


async def test_an_empty_history_is_told() -> None:
    record("c")
    assert await shown(since="5m") == (
        [],
        ["the history of context c is empty; `pilotfish proxy` records while it runs"],
    )


async def test_the_current_context_is_looked_at_unless_another_is_named(tmp_path: Path) -> None:
    kubeconfig(tmp_path, "current")
    record("current", ago(900), ago(1, summary="current"))
    record("other", ago(900), ago(1, summary="other"))
    assert (await shown(since="5m"))[0] == ["current"]
    assert (await shown(since="5m", context="other"))[0] == ["other"]


@pytest.mark.parametrize(
    ("context", "histories", "said"),
    [
        ("", [], "no context is current; `pilotfish proxy` records"),
        ("c", [], "there is no history of context 'c'; `pilotfish proxy` records"),
        ("c", ["a", "b"], "no history of context 'c'; there is one of a, b: name it with"),
        ("", ["a", "b"], "no context is current; there is one of a, b"),
    ],
)
async def test_without_a_history_it_says_which_there_are(
    context: str, histories: list[str], said: str
) -> None:
    for each in histories:
        record(each)
    with pytest.raises(HistoryError, match=said):
        await shown(since="5m", context=context)


async def test_a_bad_time_is_refused() -> None:
    record("c")
    with pytest.raises(SinceError, match="5min"):
        await shown(since="5min")


async def test_statistics_are_shown_once_in_the_end() -> None:
    record("c", ago(900), ago(20), ago(10, error=True))
    tables: list[Stats] = []
    await Tapping(
        Options(since="5m", stats=True), io.BytesIO(), tables.append, lambda _: None
    ).run()
    (table,) = tables
    assert table.services["default", "api"].requests == 2
    assert table.services["default", "api"].errors == 1


@pytest.mark.parametrize("way", ["output", "write"])
async def test_packets_are_taken_from_the_history(tmp_path: Path, way: str) -> None:
    one = ago(20)
    record("c", ago(900), one)
    data = tcp(("10.244.0.5", 40000), ("10.96.0.20", 80), 1)
    other = tcp(("10.244.0.5", 40001), ("10.96.0.20", 80), 1)
    packets = PacketHistory(history_folder("c"))
    at_s = time.time() - 20
    for each in (data, other):
        packets.record(Frame(at_s, each, len(each), 1, "eth0"))
    packets.close()
    path = tmp_path / "taken.pcapng"
    if way == "write":
        assert len((await shown(since="5m", write=path))[0]) == 1
        assert path.stat().st_mode & 0o777 == 0o600
    else:
        out = io.BytesIO()
        options = Options(since="5m", output="pcapng")
        await Tapping(options, out, lambda _: None, lambda _: None).run()
        path.write_bytes(out.getvalue())
    assert [frame.data for frame in read_frames(path)] == [data]
