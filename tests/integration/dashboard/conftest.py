"""A server with a page of its own, and who visits it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from pilotfish.dashboard import feed, static_files
from support.dashboard import Served, serving, until


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
