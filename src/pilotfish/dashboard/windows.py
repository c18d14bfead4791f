"""Time in buckets of ten seconds, and the spans of time that can be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

BUCKET_S = 10
# What can be asked for, and the seconds of each step of its series.
STEPS_S = {60: 10, 300: 10, 900: 30, 3600: 60}
KEPT_S = max(STEPS_S)


@dataclass(frozen=True)
class Span:
    """The buckets of a window: from `first` to `last`, the present one, which is not over.

    Attributes:
        window_s: length of the window.
        step: buckets that are one step of a series.
        first, last: numbers of buckets; number n begins n * BUCKET_S seconds after 1970.
        now_s: when it was asked for, seconds since 1970.
        begun_s: when counting began, likewise; rates are of the time since then.
    """

    window_s: int
    step: int
    first: int
    last: int
    now_s: float
    begun_s: float = 0.0

    @property
    def seconds(self) -> float:
        """How much time was counted until now."""
        return max(self.now_s - max(self.first * BUCKET_S, self.begun_s), 1.0)

    @property
    def steps(self) -> int:
        """How many steps a series has."""
        return (self.last - self.first) // self.step + 1

    def times(self) -> list[float]:
        """When each step of a series begins: milliseconds since 1970."""
        return [(self.first + n * self.step) * BUCKET_S * 1e3 for n in range(self.steps)]


def span(window_s: int, now_s: float, begun_s: float = 0.0) -> Span:
    """The buckets of the shortest window that is as long as asked for, or of the longest one.

    Steps begin at multiples of their length, so that a series does not change behind its last one.
    """
    window_s = min((each for each in STEPS_S if each >= window_s), default=KEPT_S)
    step = STEPS_S[window_s] // BUCKET_S
    last = int(now_s // BUCKET_S)
    count = window_s // BUCKET_S
    first = (last - count) // step * step + step
    return Span(window_s, step, first, last, now_s, begun_s)


class Clock:
    """Which bucket a timestamp of an entry is in; quick, for many entries share a bucket."""

    def __init__(self) -> None:
        self._prefix = ""
        self._number = 0

    def bucket(self, timestamp: str) -> int:
        """Number of the bucket. timestamp: RFC 3339 in UTC, as in entries."""
        # Up to the tens of seconds: buckets last ten.
        prefix = timestamp[:18]
        if prefix != self._prefix:
            self._number = int(datetime.fromisoformat(f"{prefix}0+00:00").timestamp()) // BUCKET_S
            self._prefix = prefix
        return self._number
