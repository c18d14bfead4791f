"""All probes of one running container: startup first, then readiness and liveness together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pilotfish.node.probes.loop import run_probe
from pilotfish.node.probes.state import Kind, Result, Timing
from pilotfish.objects.meta import Object


@dataclass(frozen=True)
class ProbeListener:
    """Who is told: every failure, and every new verdict."""

    failed: Callable[[Kind, Result], None]
    verdict: Callable[[Kind, bool], None]


class ContainerProbes:
    """Runs until `stop`; `stop_restarting` ends startup and liveness, as for a Pod that goes."""

    def __init__(
        self,
        container: Object,
        started_s: float,
        startup_passed: bool,
        make: Callable[[Object], Callable[[], Awaitable[Result]]],
        listener: ProbeListener,
    ) -> None:
        self._container = container
        self._started_s = started_s
        self._make = make
        self._listener = listener
        self._tasks: dict[Kind, asyncio.Task[None]] = {}
        if startup_passed:
            self._probe_the_rest()
        else:
            self._begin(Kind.STARTUP)

    def _begin(self, kind: Kind) -> None:
        probe = self._container.get(kind.value)
        if not probe:
            return
        looping = run_probe(
            Timing.of(probe),
            self._started_s,
            self._make(probe),
            lambda result: self._listener.failed(kind, result),
            lambda success, _result: self._decide(kind, success),
        )
        name = f"{kind.value} {self._container['name']}"
        self._tasks[kind] = asyncio.create_task(looping, name=name)

    def _decide(self, kind: Kind, success: bool) -> bool:
        """Pass a verdict on; whether the probe goes on."""
        if kind is Kind.STARTUP and success:
            self._probe_the_rest()
        self._listener.verdict(kind, success)
        if kind is Kind.STARTUP:
            return False
        return kind is Kind.READINESS or success

    def _probe_the_rest(self) -> None:
        self._begin(Kind.READINESS)
        self._begin(Kind.LIVENESS)

    def stop_restarting(self) -> None:
        for kind in (Kind.STARTUP, Kind.LIVENESS):
            if task := self._tasks.get(kind):
                task.cancel()

    def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
