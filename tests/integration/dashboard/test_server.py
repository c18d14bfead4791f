"""The dashboard's server over real sockets: who gets in, and what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from yarl import URL

from pilotfish.dashboard import api, dashboard, feed, live, static_files
from pilotfish.dashboard.hub import MAX_VIEWERS
from pilotfish.tap.history import streaming
from pilotfish.tap.viewer import NodeStatus
from support.dashboard import Served, serving, until
from support.entries import entry

DATA = [
    "/api/v1/session",
    "/api/v1/status",
    "/api/v1/entries",
    "/api/v1/entries/node-1-000001?time=1",
    "/api/v1/rows?before=1",
    "/api/v1/filter/completions?text=a&cursor=1",
    "/api/v1/services",
    "/api/v1/map",
    "/api/v1/download?format=json",
    "/api/v1/live",
    "/api/v1/openapi.json",
    "/api/v1/nothing",
    "/metrics",
]
PAGES = ["/", "/traffic", "/services", "/map", "/icon.svg", "/nothing"]
EVERYTHING = [*DATA, *PAGES, "/assets/index.js"]
WATCH: dict[str, Any] = {
    "type": "watch", "watch": 1, "filter": "", "since": "", "until": "", "limit": 100,
    "probes": False,
}  # fmt: skip


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    page = tmp_path / "static"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>page</title>")
    (page / "icon.svg").write_text("<svg/>")
    (page / "assets" / "index.js").write_text("console.log(1);" * 100)
    (tmp_path / "secret.js").write_text("not for you")
    monkeypatch.setattr(static_files, "FOLDER", page)
    monkeypatch.setattr(feed, "_LOOK_EVERY_S", 0.02)
    async with serving(tmp_path) as made:
        await until(lambda: made.dashboard.feed.state.connected, "connected")
        await until(lambda: made.dashboard.history is not None, "a history")
        yield made


@pytest.fixture
async def browser(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser that has opened its link."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(served.url, cookie_jar=jar) as session:
        async with session.get(f"/?token={served.access.link_token()}") as answer:
            assert answer.status == 200
        yield session


@pytest.fixture
async def program(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    async with served.program() as session:
        yield session


@pytest.fixture
async def stranger(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(served.url) as session:
        yield session


# --- who gets in -----------------------------------------------------------------------------


async def test_a_stranger_gets_nothing(stranger: aiohttp.ClientSession) -> None:
    for path in EVERYTHING:
        async with stranger.get(path, allow_redirects=False) as answer:
            assert answer.status == 401, path
            assert "pilotfish-fake" not in await answer.text()
            assert "Set-Cookie" not in answer.headers


async def test_a_name_that_was_made_to_lead_here_gets_nothing(
    browser: aiohttp.ClientSession, served: Served
) -> None:
    host = {"Host": f"evil.example:{served.port}"}
    for path in EVERYTHING:
        async with browser.get(path, headers=host, allow_redirects=False) as answer:
            assert answer.status == 403, path


async def test_another_origin_gets_nothing(browser: aiohttp.ClientSession) -> None:
    origin = {"Origin": "http://evil.example"}
    for path in EVERYTHING:
        async with browser.get(path, headers=origin, allow_redirects=False) as answer:
            assert answer.status == 403, path
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_link_works_once_and_the_terminal_has_another(
    served: Served, stranger: aiohttp.ClientSession
) -> None:
    link = f"/services?window=60&token={served.access.link_token()}"
    async with stranger.get(link, allow_redirects=False) as answer:
        assert answer.status == 303
        # The address that stays in the browser's history has no token.
        assert answer.headers["Location"] == "/services?window=60"
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
    assert served.links_used == [True]
    async with (
        aiohttp.ClientSession(served.url) as other,
        other.get(link, allow_redirects=False) as answer,
    ):
        assert answer.status == 401
        assert "used already" in await answer.text()


async def test_a_browser_that_is_known_stays_so(browser: aiohttp.ClientSession) -> None:
    for path in ("/", "/traffic", "/api/v1/session", "/assets/index.js"):
        async with browser.get(path) as answer:
            assert answer.status == 200


async def test_our_cookie_opens_no_socket_for_other_sites(
    browser: aiohttp.ClientSession, served: Served
) -> None:
    for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await browser.ws_connect("/api/v1/live", headers=headers)
        assert refused.value.status == 403
    async with browser.ws_connect("/api/v1/live", headers={"Origin": served.url}) as socket:
        assert (await socket.receive_json())["type"] == "hello"


async def test_health_is_told_to_everybody_and_nothing_else(
    stranger: aiohttp.ClientSession,
) -> None:
    async with stranger.get("/healthz") as answer:
        assert (answer.status, await answer.text()) == (200, "ok\n")


async def test_nothing_can_be_changed(program: aiohttp.ClientSession) -> None:
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"]:
        async with program.request(method, "/api/v1/entries") as answer:
            assert answer.status == 405, method


OUTSIDE = [
    "/assets/..%2f..%2fsecret.js",
    "/assets/%2e%2e/%2e%2e/secret.js",
    "/..%2fsecret.js",
    "/assets/..%5c..%5csecret.js",
    "/assets/index.js%00",
    "/assets/",
    "/assets",
]


async def test_no_path_leads_out_of_the_page(program: aiohttp.ClientSession) -> None:
    for path in OUTSIDE:
        async with program.get(URL(path, encoded=True)) as answer:
            assert answer.status == 404, path
            assert "not for you" not in await answer.text()


async def test_pages_may_run_nothing_but_our_own_scripts_and_be_framed_by_nobody(
    program: aiohttp.ClientSession,
) -> None:
    for path in ["/", "/api/v1/session", "/nothing", "/api/v1/nothing"]:
        async with program.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "Server" not in answer.headers


async def test_what_was_asked_is_shown_as_text(stranger: aiohttp.ClientSession) -> None:
    async with stranger.get("/<script>alert(1)</script>") as answer:
        assert "<script>" not in await answer.text()


# --- the page --------------------------------------------------------------------------------


async def test_files_with_a_hash_are_kept_by_browsers_and_data_is_not(
    program: aiohttp.ClientSession,
) -> None:
    async with program.get("/assets/index.js", headers={"Accept-Encoding": "br"}) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "br"
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        tag = answer.headers["ETag"]
    async with program.get("/assets/index.js", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
    async with program.get("/api/v1/session") as answer:
        assert answer.headers["Cache-Control"] == "no-store"


async def test_without_a_page_it_says_how_to_build_it(
    served: Served, program: aiohttp.ClientSession
) -> None:
    (static_files.FOLDER / "index.html").unlink()
    async with program.get("/traffic") as answer:
        assert answer.status == 503
        assert "make web" in await answer.text()


# --- the API ---------------------------------------------------------------------------------


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


# --- live ------------------------------------------------------------------------------------


async def hear(socket: aiohttp.ClientWebSocketResponse, kind: str) -> Any:
    """The next message of that kind."""
    async with asyncio.timeout(10):
        while True:
            message = await socket.receive_json()
            if message["type"] == kind:
                return message


async def test_a_page_is_told_how_things_stand_and_what_happens(
    served: Served, program: aiohttp.ClientSession
) -> None:
    served.see(path="/before")
    async with program.ws_connect("/api/v1/live") as socket:
        hello, status = await socket.receive_json(), await socket.receive_json()
        assert (hello["type"], hello["context"]) == ("hello", "pilotfish-fake")
        assert (status["type"], status["connected"]) == ("status", True)
        await socket.send_json(WATCH)
        backlog = await hear(socket, "rows")
        assert (backlog["backlog"], [row["path"] for row in backlog["rows"]]) == (True, ["/before"])
        served.see(path="/now")
        rows = await hear(socket, "rows")
        assert (rows["backlog"], [row["path"] for row in rows["rows"]]) == (False, ["/now"])


async def test_two_pages_see_each_what_they_asked_for(
    served: Served, program: aiohttp.ClientSession
) -> None:
    async with (
        program.ws_connect("/api/v1/live") as one,
        program.ws_connect("/api/v1/live") as other,
    ):
        await one.send_json(WATCH | {"filter": "status_code == 200"})
        await other.send_json(WATCH | {"filter": "status_code == 503", "watch": 2})
        await hear(one, "rows")
        await hear(other, "rows")
        served.see(path="/good")
        served.see(path="/bad", status_code=503)
        assert [row["path"] for row in (await hear(one, "rows"))["rows"]] == ["/good"]
        bad = await hear(other, "rows")
        assert ([row["path"] for row in bad["rows"]], bad["watch"]) == (["/bad"], 2)


async def test_a_wrong_filter_is_said_and_a_right_one_works_afterwards(
    served: Served, program: aiohttp.ClientSession
) -> None:
    async with program.ws_connect("/api/v1/live") as socket:
        await socket.send_json(WATCH | {"filter": "http && stattus == 1", "watch": 3})
        problem = await hear(socket, "filter_problem")
        assert (problem["watch"], problem["column"], problem["end"]) == (3, 9, 16)
        await socket.send_json(WATCH | {"since": "yesterday", "watch": 4})
        problem = await hear(socket, "filter_problem")
        assert (problem["watch"], problem["line"]) == (4, 0)
        assert problem["message"].startswith("since: ")
        await socket.send_json(WATCH | {"watch": 5})
        assert (await hear(socket, "rows"))["watch"] == 5


async def test_views_come_to_who_follows_them(program: aiohttp.ClientSession) -> None:
    async with program.ws_connect("/api/v1/live") as socket:
        follow = {"type": "follow", "services": True, "map": True, "window_s": 300}
        await socket.send_json(follow)
        assert (await hear(socket, "services"))["window_s"] == 300
        assert (await hear(socket, "map"))["window_s"] == 300


@pytest.mark.parametrize(
    "message", ["", "{", "[]", '{"type":"watch"}', '{"type":"follow","services":1}', "x" * 10_000]
)
async def test_a_message_that_is_none_ends_the_connection(
    program: aiohttp.ClientSession, message: str
) -> None:
    async with program.ws_connect("/api/v1/live") as socket:
        await socket.send_str(message)
        async for _ in socket:
            pass
        assert socket.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_a_message_that_is_too_long_ends_the_connection(
    program: aiohttp.ClientSession,
) -> None:
    async with program.ws_connect("/api/v1/live") as socket:
        await socket.send_str("x" * (live.MAX_MESSAGE_BYTES + 1))
        async for _ in socket:
            pass
        assert socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_there_is_a_bound_to_viewers_and_who_leaves_makes_room(
    served: Served, program: aiohttp.ClientSession
) -> None:
    sockets = [await program.ws_connect("/api/v1/live") for _ in range(MAX_VIEWERS)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await program.ws_connect("/api/v1/live")
    assert refused.value.status == 503
    await sockets.pop().close()
    await until(lambda: len(served.dashboard.hub.viewers) < MAX_VIEWERS, "there is room")
    sockets.append(await program.ws_connect("/api/v1/live"))
    for socket in sockets:
        await socket.close()


async def test_a_lost_connection_is_told_to_page_and_terminal_and_that_it_is_back(
    served: Served, program: aiohttp.ClientSession
) -> None:
    async with program.ws_connect("/api/v1/live") as socket:
        assert (await hear(socket, "status"))["connected"]
        node = served.viewer.nodes["node-1"]
        node.connected, node.problem = False, "the worker ended the stream"
        while (status := await hear(socket, "status"))["connected"]:
            pass
        assert status["problem"] == "node-1: the worker ended the stream"
        assert status["nodes"][0]["connected"] is False
        node.connected, node.problem = True, ""
        while not (await hear(socket, "status"))["connected"]:
            pass
    assert served.told == [
        "connected",
        "connection to the cluster lost: node-1: the worker ended the stream; trying again",
        "connected again",
    ]


async def test_a_node_that_is_away_for_long_is_told_of_and_one_that_is_back_at_once_is_not(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "AWAY_S", 1000.0)
    away = NodeStatus("node-2", problem="no route")
    served.viewer.nodes["node-2"] = away
    await until(lambda: "node-2" in served.dashboard.feed.state.nodes, "the node is looked at")
    away.connected = True
    await until(lambda: served.dashboard.feed.state.nodes["node-2"].connected, "it is back")
    assert served.told == ["connected"]
    monkeypatch.setattr(dashboard, "AWAY_S", 0.0)
    away.connected = False
    await until(lambda: len(served.told) == 2, "the node is told of")
    away.connected = True
    await until(lambda: len(served.told) == 3, "and that it is back")
    assert served.told[1:] == ["node-2: not seen, trying again: no route", "node-2: seen again"]


async def test_a_page_that_does_not_keep_up_is_told_what_it_lost_and_slows_down_nobody(
    served: Served, program: aiohttp.ClientSession
) -> None:
    count = 30_000
    made = entry(path="/" + 1500 * "x", probe=False)

    counts = {"slow": [0, 0], "quick": [0, 0]}

    async def read(name: str, socket: aiohttp.ClientWebSocketResponse) -> list[int]:
        seen = counts[name]
        while sum(seen) < count:
            message = await hear(socket, "rows")
            seen[0] += len(message["rows"])
            seen[1] += message["lost"]
        return seen

    async with (
        program.ws_connect("/api/v1/live", max_msg_size=0) as slow,
        program.ws_connect("/api/v1/live", max_msg_size=0) as quick,
    ):
        for socket in (slow, quick):
            await socket.send_json(WATCH)
            await hear(socket, "rows")
        reading = asyncio.create_task(read("quick", quick))
        for start in range(0, count, 2000):
            for number in range(start, start + 2000):
                served.dashboard.hub.hear(made | {"id": f"node-1-{number:06d}"})
            # The quick one is to have the time that it needs.
            while counts["quick"][0] < start:  # noqa: ASYNC110 it is read by another task
                await asyncio.sleep(0.01)
        assert await reading == [count, 0]
        shown, lost = await read("slow", slow)
        assert lost > 0
        assert shown + lost == count
