"""Namespaces: active from the start, and held by a finalizer until they are empty."""

from __future__ import annotations

from pilotfish.objects.meta import Object

FINALIZER = "kubernetes"


def prepare_for_create(obj: Object) -> None:
    finalizers = obj.setdefault("spec", {}).setdefault("finalizers", [])
    if FINALIZER not in finalizers:
        finalizers.append(FINALIZER)
    obj["status"] = {"phase": "Active"}


def prepare_for_update(new: Object, old: Object) -> None:
    """Only the `finalize` subresource changes the finalizers."""
    new["spec"] = old.get("spec", {})
