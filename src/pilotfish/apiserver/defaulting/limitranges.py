"""Defaults of LimitRanges: a container's default request is its default limit, as far as unsaid."""

from __future__ import annotations

from pilotfish.apiserver.defaulting.quantities import canonicalize
from pilotfish.objects.meta import Object


def apply_defaults(obj: Object) -> None:
    for limit in (obj.get("spec") or {}).get("limits") or ():
        if limit.get("type") == "Container":
            default = limit.setdefault("default", {})
            for name, amount in (limit.get("max") or {}).items():
                default.setdefault(name, amount)
            request = limit.setdefault("defaultRequest", {})
            for source in (default, limit.get("min") or {}):
                for name, amount in source.items():
                    request.setdefault(name, amount)
        for field in ("default", "defaultRequest", "max", "min", "maxLimitRequestRatio"):
            canonicalize(limit.get(field))
