"""Defaults of ReplicaSets."""

from __future__ import annotations

from pilotfish.apiserver.defaulting.podtemplates import default_template
from pilotfish.objects.meta import Object


def apply_defaults(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    default_template(spec.get("template"))
