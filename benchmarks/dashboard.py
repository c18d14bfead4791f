"""The dashboard's page in a browser: how much it takes, what it weighs, how soon it shows.

Entries are made up (`dashboard_process`), everything else is real: server, WebSocket, Chromium.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import brotli
from playwright.sync_api import Browser, Page

from benchmarks.dashboard_process import INSTANCE, KEY
from benchmarks.measure import Report, Row, milliseconds, percentile
from pilotfish.dashboard.access import link_token
from support.browser import chromium

STATIC = Path(__file__).parent.parent / "src" / "pilotfish" / "dashboard" / "static"
RATES = (10, 500, 1_000, 2_000, 4_000, 6_000, 8_000, 12_000, 16_000)
SECONDS = 3
MANY = 1_000_000
# A screen's 60, but for a few that the machine's own affairs cost.
MIN_FRAMES_PER_S = 57
OPENINGS = 7
GOAL_KB = 300

_COUNT_FRAMES = """() => {
    window.frames_ = [];
    const step = (now) => { window.frames_.push(now); requestAnimationFrame(step); };
    requestAnimationFrame(step);
}"""
_CONTENT_LOADED = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
# A page that takes the messages and does nothing with them: what the browser itself can do.
_BARE = """() => new Promise((resolve) => {
    const socket = new WebSocket(`ws://${location.host}/api/v1/live`);
    window.bare = 0;
    socket.onopen = () => {
        socket.send(JSON.stringify({type: "watch", watch: 1, filter: "", since: "", until: "",
                                    limit: 0, probes: true}));
        resolve();
    };
    socket.onmessage = (event) => {
        const message = JSON.parse(event.data);
        if (message.type === "rows") window.bare += message.rows.length;
    };
})"""


def run() -> Report:
    """Measure it all."""
    report = Report("The dashboard in a browser")
    with served() as server, chromium() as browser:
        shown, frames, course = _highest_rate(server, server.open(browser))
        limit, limit_frames, _ = _highest_rate(server, server.open(browser, bare=True))
        bare = "a page that takes the same messages and shows nothing"
        report.rows += [
            Row("entries/s, at 60 frames/s", f"{shown:,}", f"{limit:,}: {bare}", shown / limit),
            Row(
                f"frames/s at {RATES[-1]:,} entries/s",
                f"{frames:.1f}",
                f"{limit_frames:.1f}: the same page",
                frames / limit_frames,
            ),
        ]
        report.rows += _memory(server, browser)
        report.rows.append(_first_row(server, browser))
    report.rows.append(_size())
    report.notes += [
        "The traffic page in a window of 1280 × 800, following the newest rows, while entries come "
        f"evenly for {SECONDS} s at each rate. Frames are told by requestAnimationFrame; a rate "
        f"counts if there were {MIN_FRAMES_PER_S} a second. Rows come ten times a second; painting "
        "them without a graphics card costs a frame now and then, whatever their number. Server "
        "and browser share the processors.",
        f"```\n{course}\n```",
    ]
    return report


# --- what runs -------------------------------------------------------------------------------


class Server:
    """A dashboard whose entries come when they are asked for."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._input, self._output = process.stdin, process.stdout
        self._url = f"http://127.0.0.1:{self._output.readline().strip()}"

    def resident_bytes(self) -> int:
        """Memory of the server's process."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return 1024 * int(status.split("VmRSS:")[1].split()[0])

    def hear(self, rate: int, count: int) -> float:
        """Let entries come; seconds that they took."""
        self._input.write(f"{rate} {count}\n")
        self._input.flush()
        return float(self._output.readline())

    def open(self, browser: Browser, bare: bool = False) -> Page:
        """The page in a browser of its own; bare: only what takes messages."""
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.goto(f"{self._url}/traffic?token={link_token(KEY, INSTANCE, time.time())}")
        page.wait_for_selector("main")
        if bare:
            page.goto(f"{self._url}/api/v1/session")
            page.evaluate(_BARE)
        page.evaluate(_COUNT_FRAMES)
        return page


@contextmanager
def served() -> Iterator[Server]:
    """The server, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.dashboard_process", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield Server(process)
        finally:
            process.terminate()
            process.wait()


# --- what is measured ------------------------------------------------------------------------


def _highest_rate(server: Server, page: Page) -> tuple[int, float, str]:
    """The highest rate with all frames, frames/s at the last, and how it went; closes the page."""
    highest, frames_per_s, course = 0, 0.0, []
    for rate in RATES:
        page.evaluate("window.frames_.length = 0")
        took_s = server.hear(rate, rate * SECONDS)
        times_ms: list[float] = page.evaluate("window.frames_")
        gaps_s = [(late - early) / 1000 for early, late in pairwise(times_ms)]
        frames_per_s = len(gaps_s) / sum(gaps_s)
        course.append(
            f"{rate:6,} entries/s: {frames_per_s:4.1f} frames/s, "
            f"p99 {milliseconds(percentile(gaps_s, 0.99))}, longest {milliseconds(max(gaps_s))}"
        )
        if took_s > 1.1 * SECONDS:
            break  # the server is what is too slow
        if frames_per_s >= MIN_FRAMES_PER_S:
            highest = rate
    page.context.close()
    return highest, frames_per_s, "\n".join(course)


def _memory(server: Server, browser: Browser) -> Iterator[Row]:
    """What page and server hold after very many entries."""
    page = server.open(browser)
    before_bytes = _heap_bytes(page)
    took_s = server.hear(0, MANY)
    page.wait_for_timeout(1000)
    held_bytes = _heap_bytes(page)
    page.context.close()
    yield Row(
        f"memory of the page after {MANY:,} entries",
        f"{held_bytes / 1e6:.0f} MB",
        f"{before_bytes / 1e6:.0f} MB before the first",
        goal="bounded: 100,000 rows",
    )
    yield Row(
        f"memory of the server after them (RSS) at {MANY / took_s:,.0f}/s",
        f"{server.resident_bytes() / 1e6:.0f} MB",
    )


def _heap_bytes(page: Page) -> int:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = session.send("Performance.getMetrics")["metrics"]
    return int(next(each["value"] for each in metrics if each["name"] == "JSHeapUsedSize"))


def _first_row(server: Server, browser: Browser) -> Row:
    """From opening the page to a row on it, with a history to show."""
    server.hear(1000, 1000)
    taken_s, blank_s = [], []
    for _ in range(OPENINGS):
        page = server.open(browser)
        page.reload(wait_until="commit")
        page.wait_for_selector("[data-number]")
        taken_s.append(page.evaluate("performance.now()") / 1000)
        blank_s.append(page.evaluate(_CONTENT_LOADED) / 1000)
        page.context.close()
    taken, blank = statistics.median(taken_s), statistics.median(blank_s)
    return Row(
        f"opened to the first row (median of {OPENINGS})",
        milliseconds(taken),
        f"{milliseconds(blank)}: until the empty page was loaded",
        taken / blank,
    )


def _size() -> Row:
    """All that the browser loads, compressed as it is sent."""
    files = [path for path in STATIC.rglob("*") if path.suffix in (".html", ".js", ".css")]
    plain = sum(path.stat().st_size for path in files)
    packed = sum(len(brotli.compress(path.read_bytes())) for path in files)
    return Row(
        "size of the built page, compressed (brotli)",
        f"{packed / 1000:.0f} kB",
        f"{plain / 1000:.0f} kB as it is",
        packed / plain,
        goal=f"{GOAL_KB} kB",
    )
