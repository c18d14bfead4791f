"""Sends spans to an OpenTelemetry collector: OTLP over HTTP, in batches.

A collector that is slow or away loses spans, never memory: `MAX_WAITING` wait, what comes then
is dropped and counted. The responses' meaning: OTLP specification, "OTLP/HTTP Response".
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp
import orjson

from pilotfish.dashboard.otlp import export_request
from pilotfish.tap.entry import Entry

log = logging.getLogger(__name__)

MAX_WAITING = 10_000
_MAX_BATCH = 512
_EVERY_S = 1.0
_FIRST_PAUSE_S = 0.5
_MAX_PAUSE_S = 30.0
_LIMIT = aiohttp.ClientTimeout(total=10)
# "Retryable Response Codes" of the specification; all others are for good.
_RETRYABLE = (429, 502, 503, 504)


class EndpointError(Exception):
    """No collector can be at that address."""


class OtlpExporter:
    """Exports every entry that it is given; `run()` must be running.

    Attributes:
        sent: spans that the collector took.
        dropped: spans that found no room, or that the collector refused.
    """

    def __init__(self, endpoint: str, tell: Callable[[str], None]) -> None:
        """Make an exporter.

        Args:
            endpoint: base address of the collector, `http://127.0.0.1:4318`; /v1/traces is
                appended, as OTEL_EXPORTER_OTLP_ENDPOINT is understood.
            tell: says in a line that spans are not taken, and that they are again.

        Raises:
            EndpointError: the address is none.
        """
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise EndpointError(f"{endpoint!r} is no http:// or https:// address")
        self.sent = 0
        self.dropped = 0
        self._url = endpoint.rstrip("/") + "/v1/traces"
        self._tell = tell
        self._failing = False
        self._waiting: deque[Entry] = deque()
        self._filled = asyncio.Event()

    def add(self, entry: Entry) -> None:
        """Take an entry; cheap."""
        if len(self._waiting) >= MAX_WAITING:
            self.dropped += 1
            return
        self._waiting.append(entry)
        self._filled.set()

    async def run(self) -> None:
        """Send what comes until cancelled, and then, once, what is left."""
        async with aiohttp.ClientSession(timeout=_LIMIT) as session:
            try:
                while True:
                    await self._filled.wait()
                    await asyncio.sleep(_EVERY_S)
                    self._filled.clear()
                    while self._waiting:
                        await self._deliver(session, self._take())
            except asyncio.CancelledError:
                if self._waiting and not self._failing:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(1):
                            await self._post(session, self._take())
                raise

    def _take(self) -> list[Entry]:
        return [self._waiting.popleft() for _ in range(min(_MAX_BATCH, len(self._waiting)))]

    async def _deliver(self, session: aiohttp.ClientSession, batch: list[Entry]) -> None:
        """Send a batch, again and again while the collector is away."""
        pause_s = _FIRST_PAUSE_S
        while (problem := await self._post(session, batch)) is not None:
            if not self._failing:
                self._tell(f"OpenTelemetry: spans are not taken, trying again: {problem}")
            self._failing = True
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _MAX_PAUSE_S)
        if self._failing:
            self._tell("OpenTelemetry: spans are taken again")
        self._failing = False

    async def _post(self, session: aiohttp.ClientSession, batch: list[Entry]) -> str | None:
        """Send a batch once. Returns what was wrong where another attempt may help."""
        body = orjson.dumps(export_request(batch))
        headers = {"Content-Type": "application/json"}
        try:
            async with session.post(self._url, data=body, headers=headers) as response:
                said = await response.text(errors="replace")
                if response.status in _RETRYABLE:
                    return f"{self._url}: {response.status} {said[:200]}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return f"{self._url}: {error or 'no answer'}"
        if response.status >= 400:
            self.dropped += len(batch)
            log.warning("%s refused %d spans: %d %s", self._url, len(batch), response.status, said)
        else:
            rejected = _rejected(said)
            self.sent += len(batch) - rejected
            self.dropped += rejected
        return None


def _rejected(answer: str) -> int:
    """How many spans of a batch the collector did not want ("Partial Success")."""
    try:
        found = orjson.loads(answer or "{}").get("partialSuccess") or {}
        count = int(found.get("rejectedSpans") or 0)
    except (orjson.JSONDecodeError, ValueError, AttributeError):
        return 0  # the collector took it and answers in another form
    if count:
        log.warning("the collector rejected %d spans: %s", count, found.get("errorMessage", ""))
    return count
