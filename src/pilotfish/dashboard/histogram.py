"""Durations in microseconds, counted in buckets: percentiles of many in little memory, mergeable.

Each power of two is divided into 16 buckets of equal width (the layout of HdrHistogram), so that a
percentile is right to within 3 %, and finding the bucket takes two shifts.
"""

from __future__ import annotations

_BITS = 4  # 2^4 buckets to each power of two
_EXACT = 2 << _BITS  # below it each number has a bucket of its own


class Histogram:
    """A count for each bucket that holds anything."""

    __slots__ = ("buckets",)

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}

    def add(self, micros: int) -> None:
        """Count a duration; a negative one counts as none."""
        if micros < _EXACT:
            bucket = max(micros, 0)
        else:
            shift = micros.bit_length() - _BITS - 1
            bucket = (shift << _BITS) + (micros >> shift)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def merge(self, other: Histogram) -> None:
        """Count what another one has counted."""
        mine = self.buckets
        for bucket, count in other.buckets.items():
            mine[bucket] = mine.get(bucket, 0) + count

    def percentiles(self, *shares: float) -> list[int | None]:
        """The duration (µs) below which each share (0..1, ascending) lies; None without any."""
        found: list[int | None] = []
        total = sum(self.buckets.values())
        if not total:
            return [None] * len(shares)
        counted = 0
        wanted = iter(shares)
        share = next(wanted, None)
        for bucket in sorted(self.buckets):
            counted += self.buckets[bucket]
            while share is not None and counted >= share * total:
                found.append(_middle(bucket))
                share = next(wanted, None)
        return found


def _middle(bucket: int) -> int:
    if bucket < _EXACT:
        return bucket
    shift = (bucket >> _BITS) - 1
    return ((bucket - (shift << _BITS)) << shift) + (1 << shift) // 2
