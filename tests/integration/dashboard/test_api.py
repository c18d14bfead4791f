"""What programs and the page ask for, over real sockets."""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson
import pytest

from pilotfish.dashboard import api
from pilotfish.tap.history import streaming
from support.dashboard import Served, until


async def get(session: aiohttp.ClientSession, path: str, **query: str) -> Any:
    async with session.get(path, params=query) as answer:
        content = await answer.read()
        assert answer.status == 200, content
        return orjson.loads(content)


async def test_an_entry_is_found_by_its_id_and_time(
    served: Served, program: aiohttp.ClientSession
) -> None:
    made = served.see(path="/found")
    await until(lambda: served.dashboard.statistics.entries == 1, "the entry is heard")
    (row,) = (await get(program, "/api/v1/rows", before="9e12"))["rows"]
    found = await get(program, f"/api/v1/entries/{row['id']}", time=str(row["time"]))
    assert found == {"entry": made, "peers": []}


async def test_an_entry_that_is_gone_is_said_to_be(program: aiohttp.ClientSession) -> None:
    async with program.get("/api/v1/entries/node-1-000009?time=1000.5") as answer:
        assert answer.status == 404
        assert set((await answer.json())["error"]) == {"what", "where", "mend"}


async def test_entries_come_in_pages_none_twice_and_none_missing(
    served: Served, program: aiohttp.ClientSession
) -> None:
    made = [served.see(status_code=200 + number) for number in range(7)]
    await until(lambda: served.dashboard.statistics.entries == 7, "all are heard")
    first = await get(program, "/api/v1/entries", limit="3")
    assert first["entries"] == made[-3:]
    page, found = await get(program, "/api/v1/entries", after="0-0", limit="3"), []
    while page["entries"]:
        found += page["entries"]
        page = await get(program, "/api/v1/entries", after=page["next"], limit="3")
    assert found == made
    later = served.see()
    await until(lambda: served.dashboard.statistics.entries == 8, "one more")
    page = await get(program, "/api/v1/entries", after=first["next"])
    assert page["entries"] == [later]


async def test_rows_before_a_time_say_whether_there_are_more(
    served: Served, program: aiohttp.ClientSession
) -> None:
    for number in range(5):
        served.see(path=f"/{number}", probe=number == 3)
    await until(lambda: served.dashboard.statistics.entries == 4, "all are heard")
    page = await get(program, "/api/v1/rows", before="9e12", limit="3")
    assert ([row["path"] for row in page["rows"]], page["more"]) == (["/1", "/2", "/4"], True)
    before = str(page["rows"][0]["time"])
    page = await get(program, "/api/v1/rows", before=before, limit="3")
    assert ([row["path"] for row in page["rows"]], page["more"]) == (["/0"], False)
    assert page["reached"] is None


async def test_a_search_that_takes_long_says_how_far_it_came_and_can_go_on(
    served: Served, program: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_ROWS_S", 0.0)
    monkeypatch.setattr(streaming, "_TURN_S", 0.0)
    for number in range(5):
        served.see(path=f"/{number}")
    await until(lambda: served.dashboard.statistics.entries == 5, "all are heard")
    before, pages = 9e12, 0
    found: list[str] = []
    while before is not None:
        query = {"before": str(before), "filter": 'path == "/1"'}
        page = await get(program, "/api/v1/rows", **query)
        found += [row["path"] for row in page["rows"]]
        before, pages = page["reached"], pages + 1
    assert (found, pages) == (["/1"], 6)


async def test_a_filter_that_means_nothing_is_refused_in_words(
    program: aiohttp.ClientSession,
) -> None:
    async with program.get("/api/v1/entries", params={"filter": "stattus == 1"}) as answer:
        assert answer.status == 400
        error = (await answer.json())["error"]
        assert "did you mean status?" in error["what"]
        assert error["where"] == "line 1, column 1 of the filter"


@pytest.mark.parametrize("cursor", ["-1", "x", "99999"])
async def test_a_cursor_that_is_none_is_refused(
    program: aiohttp.ClientSession, cursor: str
) -> None:
    query = {"text": "ht", "cursor": cursor}
    async with program.get("/api/v1/filter/completions", params=query) as answer:
        assert answer.status == 400


async def test_a_filter_is_completed_and_its_problem_said(program: aiohttp.ClientSession) -> None:
    found = await get(program, "/api/v1/filter/completions", text="status_co", cursor="9")
    assert found["completions"][0]["text"] == "status_code"
    assert found["completions"][0]["start"] == 0
    assert found["problem"]["column"] == 1
    assert (await get(program, "/api/v1/filter/completions", text="http", cursor="0"))[
        "problem"
    ] is None


async def test_the_views_answer_without_a_cluster(program: aiohttp.ClientSession) -> None:
    assert (await get(program, "/api/v1/services", window="60"))["services"] == []
    assert (await get(program, "/api/v1/map"))["edges"] == []
    assert (await get(program, "/api/v1/status"))["connected"] is True


@pytest.mark.parametrize("kind", ["json", "har", "pcapng"])
async def test_what_is_shown_can_be_taken_away(
    served: Served, program: aiohttp.ClientSession, kind: str
) -> None:
    served.see(path="/one")
    served.see(path="/two")
    await until(lambda: served.dashboard.statistics.entries == 2, "all are heard")
    query = {"format": kind, "filter": 'path == "/two"'}
    async with program.get("/api/v1/download", params=query) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Disposition"].endswith(f'.{kind}"')
        content = await answer.read()
    if kind == "json":
        assert [entry["path"] for entry in orjson.loads(content)] == ["/two"]
    elif kind == "har":
        assert len(orjson.loads(content)["log"]["entries"]) == 1
    else:
        assert content.startswith(b"\x0a\x0d\x0d\x0a")


async def test_there_are_no_other_formats(program: aiohttp.ClientSession) -> None:
    async with program.get("/api/v1/download?format=exe") as answer:
        assert answer.status == 400
