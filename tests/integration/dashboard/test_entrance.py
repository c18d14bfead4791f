"""Who gets in, over real sockets: strangers, other names, other origins, links, the page."""

from __future__ import annotations

import aiohttp
import pytest
from yarl import URL

from pilotfish.dashboard import static_files
from support.dashboard import Served

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
        assert "run: make " in await answer.text()


async def test_a_defect_is_said_without_its_traceback(
    program: aiohttp.ClientSession, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.dashboard, "status", lambda: 1 / 0)
    async with program.get("/api/v1/status") as answer:
        assert answer.status == 500
        text = await answer.text()
        assert "defect" in text
        assert "ZeroDivisionError" not in text
