"""Warnings about RuntimeClasses."""

from __future__ import annotations

from collections.abc import Iterator

from pilotfish.apiserver.warnings.node_labels import renamed
from pilotfish.objects.meta import Object


def warnings(runtime_class: Object) -> Iterator[str]:
    for label in (runtime_class.get("scheduling") or {}).get("nodeSelector") or ():
        if why := renamed(label):
            yield f"scheduling.nodeSelector: {why}"
