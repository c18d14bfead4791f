"""Validation of ReplicaSets."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import Cause
from pilotfish.apiserver.validation.templates import validate_counts, validate_long_running
from pilotfish.objects.meta import Object


def validate(obj: Object) -> list[Cause]:
    spec = obj["spec"]
    causes = validate_counts(spec, "replicas", "minReadySeconds")
    return causes + validate_long_running(spec, "ReplicaSet", "deployment")
