"""Warnings about custom resources (apiextensions' customresource strategy)."""

from __future__ import annotations

import json

from pilotfish.apiserver.validation.formats import qualified_name
from pilotfish.apiserver.validation.metadata import FIXED_FINALIZERS
from pilotfish.objects.meta import Object

_WHY = "to avoid accidental conflicts with other finalizer writers"


def finalizer_warnings(new: Object, old: Object | None) -> list[str]:
    """Warn about each new finalizer that others could choose as well."""
    before = (old or {"metadata": {}})["metadata"].get("finalizers") or ()
    added = sorted(set(new["metadata"].get("finalizers") or ()).difference(before))
    return [warning for finalizer in added for warning in _about(finalizer)]


def _about(finalizer: str) -> list[str]:
    start = f"metadata.finalizers: {json.dumps(finalizer, ensure_ascii=False)}: "
    why = qualified_name(finalizer)
    said = [start + why] if why else []
    if "/" not in finalizer and finalizer not in FIXED_FINALIZERS:
        path = " including a path (/)" if "." in finalizer else ""
        said.append(f"{start}prefer a domain-qualified finalizer name{path} {_WHY}")
    return said
