"""Defaults of PriorityClasses."""

from __future__ import annotations

from pilotfish.objects.meta import Object


def apply_defaults(obj: Object) -> None:
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")
    # Go writes a number that nobody gave as zero.
    obj.setdefault("value", 0)
