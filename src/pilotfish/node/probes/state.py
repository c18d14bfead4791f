"""From single probe results to a verdict: thresholds and timing, without I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pilotfish.objects.meta import Object


class Kind(Enum):
    STARTUP = "startupProbe"
    READINESS = "readinessProbe"
    LIVENESS = "livenessProbe"

    @property
    def title(self) -> str:
        """As Events name it: Startup, Readiness, Liveness."""
        return self.value.removesuffix("Probe").capitalize()


@dataclass(frozen=True)
class Result:
    """One probe's outcome; `output` is the message of the Unhealthy Event.

    `errored`: the probe itself did not work (no such program, say). It is told as an Event, and
    counts neither as a success nor as a failure, as with the kubelet (prober/worker.go).
    """

    success: bool
    output: str = ""
    errored: bool = False


@dataclass(frozen=True)
class Timing:
    initial_delay_s: float
    period_s: float
    timeout_s: float
    success_threshold: int
    failure_threshold: int

    @classmethod
    def of(cls, probe: Object) -> Timing:
        """The probe's timing fields, with Kubernetes' defaults."""
        return cls(
            initial_delay_s=float(probe.get("initialDelaySeconds") or 0),
            period_s=float(probe.get("periodSeconds") or 10),
            timeout_s=float(probe.get("timeoutSeconds") or 1),
            success_threshold=int(probe.get("successThreshold") or 1),
            failure_threshold=int(probe.get("failureThreshold") or 3),
        )


class Verdict:
    """Counts equal results in a row. `value` is None until there is a first verdict."""

    def __init__(self, timing: Timing) -> None:
        self.value: bool | None = None
        self._timing = timing
        self._last: bool | None = None
        self._run = 0

    def feed(self, success: bool) -> bool:
        """Take a result in; True when the verdict is a new one."""
        if success == self._last:
            self._run += 1
        else:
            self._last, self._run = success, 1
        needed = self._timing.success_threshold if success else self._timing.failure_threshold
        if self._run < needed or self.value == success:
            return False
        self.value = success
        return True
