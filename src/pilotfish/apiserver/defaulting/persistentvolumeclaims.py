"""Defaults of PersistentVolumeClaims."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.defaulting.quantities import canonicalize
from pilotfish.objects.meta import Object


def apply_defaults(obj: Object) -> None:
    default_claim_spec(obj.setdefault("spec", {}))
    obj.setdefault("status", {}).setdefault("phase", "Pending")


def default_claim_spec(spec: dict[str, Any]) -> None:
    spec.setdefault("volumeMode", "Filesystem")
    resources = spec.get("resources") or {}
    canonicalize(resources.get("limits"))
    canonicalize(resources.get("requests"))
