"""Spans on their way to a collector: a real HTTP server that answers as it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from pilotfish.dashboard import otlp_exporter
from pilotfish.dashboard.otlp_exporter import EndpointError, OtlpExporter
from support.entries import entry


class Collector:
    """Takes spans; `answers` are given first."""

    def __init__(self) -> None:
        self.answers: list[web.Response] = []
        self.bodies: list[dict[str, Any]] = []
        self.asked = asyncio.Event()
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        self.asked.set()
        return self.answers.pop(0) if self.answers else web.json_response({})

    def spans(self) -> int:
        return sum(
            len(scope["spans"])
            for body in self.bodies
            for resource in body["resourceSpans"]
            for scope in resource["scopeSpans"]
        )


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    made = Collector()
    application = web.Application()
    application.router.add_post("/v1/traces", made.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}"
    yield made
    await runner.cleanup()


@contextlib.asynccontextmanager
async def exporting(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[OtlpExporter, list[str]]]:
    monkeypatch.setattr(otlp_exporter, "_EVERY_S", 0.01)
    monkeypatch.setattr(otlp_exporter, "_FIRST_PAUSE_S", 0.01)
    told: list[str] = []
    exporter = OtlpExporter(url, told.append)
    running = asyncio.create_task(exporter.run())
    yield exporter, told
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def until_sent(exporter: OtlpExporter, count: int) -> None:
    async with asyncio.timeout(10):
        while exporter.sent + exporter.dropped < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_every_entry_arrives_as_a_span(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exporting(collector.url + "/", monkeypatch) as (exporter, told):
        for number in range(1200):
            exporter.add(entry(id=f"node-1-{number}"))
        await until_sent(exporter, 1200)
    assert collector.spans() == 1200
    assert len(collector.bodies) == 3
    assert told == []


async def test_a_collector_that_is_busy_is_asked_again_and_that_is_told_once(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector.answers = [web.Response(status=503, text="busy") for _ in range(3)]
    async with exporting(collector.url, monkeypatch) as (exporter, told):
        exporter.add(entry())
        await until_sent(exporter, 1)
    assert (exporter.sent, exporter.dropped) == (1, 0)
    assert len(collector.bodies) == 4
    assert len(told) == 2
    assert "503 busy" in told[0]
    assert told[1] == "OpenTelemetry: spans are taken again"


async def test_what_a_collector_refuses_for_good_is_counted_and_not_sent_again(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector.answers = [web.Response(status=400, text="no")]
    async with exporting(collector.url, monkeypatch) as (exporter, _):
        exporter.add(entry())
        await until_sent(exporter, 1)
    assert (exporter.sent, exporter.dropped) == (0, 1)
    assert len(collector.bodies) == 1


async def test_spans_that_a_collector_rejects_of_a_batch_are_counted(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector.answers = [web.json_response({"partialSuccess": {"rejectedSpans": "2"}})]
    async with exporting(collector.url, monkeypatch) as (exporter, _):
        for number in range(5):
            exporter.add(entry(id=str(number)))
        await until_sent(exporter, 5)
    assert (exporter.sent, exporter.dropped) == (3, 2)


async def test_no_more_than_so_many_wait_for_a_collector_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(otlp_exporter, "MAX_WAITING", 10)
    async with exporting("http://127.0.0.1:9", monkeypatch) as (exporter, _):
        for number in range(25):
            exporter.add(entry(id=str(number)))
        assert exporter.dropped == 15


async def test_what_waits_is_sent_at_the_end(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exporting(collector.url, monkeypatch) as (exporter, _):
        monkeypatch.setattr(otlp_exporter, "_EVERY_S", 60)
        await asyncio.sleep(0)
        exporter.add(entry())
        await asyncio.sleep(0.05)
    assert collector.spans() == 1


@pytest.mark.parametrize("address", ["", "collector:4318", "ftp://collector", "http://"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(EndpointError, match="no http"):
        OtlpExporter(address, print)
