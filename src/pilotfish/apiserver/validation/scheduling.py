"""Validation of where Pods want to run: affinities and how they spread over the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import (
    Cause,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.formats import qualified_name

_MUST = "requiredDuringSchedulingIgnoredDuringExecution"
_SHOULD = "preferredDuringSchedulingIgnoredDuringExecution"
_WHEN_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")

Spec = Mapping[str, Any]


def validate_affinity(affinity: Spec, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if affinity.get("nodeAffinity"):
        causes += _validate_node_affinity(affinity["nodeAffinity"], f"{path}.nodeAffinity")
    for field in ("podAffinity", "podAntiAffinity"):
        if affinity.get(field):
            causes += _validate_pod_affinity(affinity[field], f"{path}.{field}")
    return causes


def validate_spread(constraints: list[dict[str, Any]], path: str) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for index, constraint in enumerate(constraints):
        at = f"{path}[{index}]"
        skew = constraint.get("maxSkew", 0)
        if skew <= 0:
            causes.append(invalid(f"{at}.maxSkew", skew, "must be greater than zero"))
        causes += _validate_topology_key(constraint, at)
        when = constraint.get("whenUnsatisfiable", "")
        if when not in _WHEN_UNSATISFIABLE:
            causes.append(not_supported(f"{at}.whenUnsatisfiable", when, _WHEN_UNSATISFIABLE))
        key = (constraint.get("topologyKey", ""), when)
        if key in seen:
            shown = f"{{{key[0]}, {key[1]}}}"
            causes.append(duplicate(f"{at}.{{topologyKey, whenUnsatisfiable}}", shown))
        seen.add(key)
    return causes


def _validate_node_affinity(affinity: Spec, path: str) -> list[Cause]:
    causes: list[Cause] = []
    must = affinity.get(_MUST)
    if must is not None:
        at = f"{path}.{_MUST}.nodeSelectorTerms"
        terms = must.get("nodeSelectorTerms") or ()
        if not terms:
            causes.append(required(at, "must have at least one node selector term"))
        for index, term in enumerate(terms):
            causes += _validate_node_term(term, f"{at}[{index}]")
    for index, choice in enumerate(affinity.get(_SHOULD) or ()):
        at = f"{path}.{_SHOULD}[{index}]"
        causes += _validate_weight(choice, at)
        causes += _validate_node_term(choice.get("preference") or {}, f"{at}.preference")
    return causes


def _validate_node_term(term: Spec, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, expression in enumerate(term.get("matchExpressions") or ()):
        at = f"{path}.matchExpressions[{index}]"
        operator, values = expression.get("operator", ""), expression.get("values") or ()
        if operator in ("In", "NotIn"):
            if not values:
                why = "must be specified when `operator` is 'In' or 'NotIn'"
                causes.append(required(f"{at}.values", why))
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                causes.append(forbidden(f"{at}.values", why))
        elif operator in ("Gt", "Lt"):
            if len(values) != 1:
                why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
                causes.append(required(f"{at}.values", why))
        else:
            causes.append(invalid(f"{at}.operator", operator, "not a valid selector operator"))
        why = qualified_name(expression.get("key", ""))
        if why:
            causes.append(invalid(f"{at}.key", expression.get("key", ""), why))
    return causes


def _validate_pod_affinity(affinity: Spec, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, term in enumerate(affinity.get(_MUST) or ()):
        causes += _validate_topology_key(term, f"{path}.{_MUST}[{index}]")
    for index, choice in enumerate(affinity.get(_SHOULD) or ()):
        at = f"{path}.{_SHOULD}[{index}]"
        causes += _validate_weight(choice, at)
        term = choice.get("podAffinityTerm") or {}
        causes += _validate_topology_key(term, f"{at}.podAffinityTerm")
    return causes


def _validate_topology_key(term: Spec, path: str) -> list[Cause]:
    key = term.get("topologyKey", "")
    if not key:
        return [required(f"{path}.topologyKey", "can not be empty")]
    why = qualified_name(key)
    return [invalid(f"{path}.topologyKey", key, why)] if why else []


def _validate_weight(choice: Spec, path: str) -> list[Cause]:
    weight = choice.get("weight", 0)
    if 1 <= weight <= 100:
        return []
    return [invalid(f"{path}.weight", weight, "must be in the range 1-100")]
