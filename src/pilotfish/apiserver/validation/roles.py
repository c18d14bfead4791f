"""Validation of Roles and ClusterRoles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import Cause, invalid, required
from pilotfish.objects.meta import Object


def validate(obj: Object) -> list[Cause]:
    causes: list[Cause] = []
    namespaced = obj.get("kind") == "Role"
    for index, rule in enumerate(obj.get("rules") or ()):
        causes += _validate_rule(rule, namespaced, f"rules[{index}]")
    return causes


def _validate_rule(rule: Mapping[str, Any], namespaced: bool, at: str) -> list[Cause]:
    causes: list[Cause] = []
    if not rule.get("verbs"):
        causes.append(required(f"{at}.verbs", "verbs must contain at least one value"))
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            why = "namespaced rules cannot apply to non-resource URLs"
            causes.append(invalid(f"{at}.nonResourceURLs", urls, why))
        if any(rule.get(field) for field in ("apiGroups", "resources", "resourceNames")):
            why = "rules cannot apply to both regular resources and non-resource URLs"
            causes.append(invalid(f"{at}.nonResourceURLs", urls, why))
        return causes
    if not rule.get("apiGroups"):
        why = "resource rules must supply at least one api group"
        causes.append(required(f"{at}.apiGroups", why))
    if not rule.get("resources"):
        why = "resource rules must supply at least one resource"
        causes.append(required(f"{at}.resources", why))
    return causes
