"""From probe results to verdicts."""

from __future__ import annotations

import asyncio
import time

from pilotfish.node.probes.container import ContainerProbes, ProbeListener
from pilotfish.node.probes.loop import run_probe
from pilotfish.node.probes.state import Kind, Result, Timing, Verdict


def timing(success: int = 1, failure: int = 3) -> Timing:
    return Timing(0, 0.001, 1, success, failure)


def verdicts(results: str, success: int = 1, failure: int = 3) -> list[str]:
    """The new verdict after each result, "." for none; results are + and -."""
    verdict = Verdict(timing(success, failure))
    return ["+-"[not verdict.value] if verdict.feed(one == "+") else "." for one in results]


def test_thresholds_count_equal_results_in_a_row() -> None:
    assert verdicts("+") == ["+"]
    assert verdicts("---") == [".", ".", "-"]
    assert verdicts("--+---") == [".", ".", "+", ".", ".", "-"]
    assert verdicts("++-++", success=2, failure=1) == [".", "+", "-", ".", "+"]


def test_a_verdict_is_told_once() -> None:
    assert verdicts("+++") == ["+", ".", "."]


def test_missing_fields_have_kubernetes_defaults() -> None:
    assert Timing.of({}) == Timing(0, 10, 1, 1, 3)


async def test_the_loop_reports_failures_and_verdicts_until_told_to_stop() -> None:
    results = iter([False, True, False, False])
    failures: list[Result] = []
    heard: list[bool] = []

    async def probe() -> Result:
        return Result(next(results))

    def decide(success: bool, _result: Result) -> bool:
        heard.append(success)
        return success

    await run_probe(timing(failure=2), time.time(), probe, failures.append, decide)
    assert heard == [True, False]
    assert len(failures) == 3


async def test_a_probe_that_does_not_work_is_told_but_is_no_failure() -> None:
    broken = Result(False, "no such program", errored=True)
    results = iter([broken, broken, broken, Result(True)])
    told: list[Result] = []
    heard: list[bool] = []

    async def probe() -> Result:
        return next(results)

    def decide(success: bool, _result: Result) -> bool:
        heard.append(success)
        return False

    await run_probe(timing(failure=1), time.time(), probe, told.append, decide)
    assert told == [broken] * 3
    assert heard == [True]


async def test_readiness_is_asked_for_only_after_the_startup_probe_passed() -> None:
    asked: list[str] = []
    heard: list[tuple[Kind, bool]] = []
    ready = asyncio.Event()
    started = iter([False, True])

    def make(probe: dict[str, object]) -> object:
        async def once() -> Result:
            asked.append(str(probe["name"]))
            return Result(next(started) if probe["name"] == "startup" else True)

        return once

    def hear(kind: Kind, success: bool) -> None:
        heard.append((kind, success))
        if kind is Kind.READINESS:
            ready.set()

    container = {
        "name": "c",
        "startupProbe": {"name": "startup", "periodSeconds": 0.001},
        "readinessProbe": {"name": "readiness", "periodSeconds": 0.001},
    }
    listener = ProbeListener(failed=lambda _kind, _result: None, verdict=hear)
    probes = ContainerProbes(container, time.time(), False, make, listener)  # type: ignore[arg-type]
    await ready.wait()
    probes.stop()
    assert asked[:3] == ["startup", "startup", "readiness"]
    assert heard == [(Kind.STARTUP, True), (Kind.READINESS, True)]
