"""Validation of resource amounts: limits, requests, capacities."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pilotfish.apiserver.validation.causes import Cause, invalid
from pilotfish.apiserver.validation.formats import NOT_NEGATIVE, qualified_name
from pilotfish.objects.quantities import parse_quantity

_CONTAINER_RESOURCES = ("cpu", "ephemeral-storage", "memory")
_HUGE_PAGES = "hugepages-"


def validate_resources(resources: Mapping[str, Any] | None, path: str) -> list[Cause]:
    """A container's limits and requests, each by itself and against each other."""
    if not resources:
        return []
    limits, causes = validate_amounts(resources.get("limits"), f"{path}.limits")
    requests, more = validate_amounts(resources.get("requests"), f"{path}.requests")
    causes += more
    for name, request in requests.items():
        limit = limits.get(name)
        if limit is not None and request > limit:
            shown = str(resources["requests"][name])
            why = f"must be less than or equal to {name} limit of {resources['limits'][name]}"
            causes.append(invalid(f"{path}.requests", shown, why))
    return causes


def validate_amounts(
    amounts: Mapping[str, Any] | None, path: str
) -> tuple[dict[str, Decimal], list[Cause]]:
    """The amounts that could be read, and what is wrong with the rest."""
    numbers: dict[str, Decimal] = {}
    causes: list[Cause] = []
    for name, text in (amounts or {}).items():
        at = f"{path}[{name}]"
        causes += _validate_name(name, at)
        try:
            number = parse_quantity(text)
        except ValueError as error:
            causes.append(invalid(at, text, str(error)))
            continue
        if number < 0:
            causes.append(invalid(at, str(text), NOT_NEGATIVE))
        numbers[name] = number
    return numbers, causes


def _validate_name(name: str, at: str) -> list[Cause]:
    if name in _CONTAINER_RESOURCES or name.startswith(_HUGE_PAGES):
        return []
    why = qualified_name(name)
    if why:
        return [invalid(at, name, why)]
    if "/" not in name:
        return [
            invalid(at, name, "must be a standard resource type or fully qualified"),
            invalid(at, name, "must be a standard resource for containers"),
        ]
    return []
