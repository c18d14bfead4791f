"""Validation of label selectors as objects carry them: matchLabels and matchExpressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import Cause, forbidden, invalid, required
from pilotfish.apiserver.validation.formats import label_value, qualified_name
from pilotfish.apiserver.validation.metadata import validate_labels


def validate_selector(selector: Mapping[str, Any] | None, path: str) -> list[Cause]:
    if not selector:
        return []
    causes = validate_labels(selector.get("matchLabels"), f"{path}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        causes += _validate_expression(expression, f"{path}.matchExpressions[{index}]")
    return causes


def _validate_expression(expression: Mapping[str, Any], path: str) -> list[Cause]:
    causes: list[Cause] = []
    operator, values = expression.get("operator", ""), expression.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            causes.append(required(f"{path}.values", why))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            causes.append(forbidden(f"{path}.values", why))
    else:
        causes.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    why = qualified_name(expression.get("key", ""))
    if why:
        causes.append(invalid(f"{path}.key", expression.get("key", ""), why))
    for index, value in enumerate(values):
        why = label_value(value)
        if why:
            causes.append(invalid(f"{path}.values[{index}]", value, why))
    return causes
