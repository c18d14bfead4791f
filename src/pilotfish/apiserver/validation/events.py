"""Validation of Events of core/v1."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import Cause, invalid
from pilotfish.objects.meta import Object

_OF_THE_CLUSTER = ("default", "kube-system")


def validate(obj: Object) -> list[Cause]:
    """An Event lives beside what it is about; of the cluster, in `default`."""
    about = obj.get("involvedObject") or {}
    namespace = obj["metadata"].get("namespace", "")
    where = about.get("namespace") or ""
    if where == namespace or (not where and namespace in _OF_THE_CLUSTER):
        return []
    return [invalid("involvedObject.namespace", where, "does not match event.namespace")]
