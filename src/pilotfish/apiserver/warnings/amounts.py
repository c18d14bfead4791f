"""Warnings about amounts of resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pilotfish.objects.quantities import parse_quantity


def fraction_warnings(resources: dict[str, Any], field: str, name: str, at: str) -> Iterator[str]:
    """Warn about a fraction of a byte.

    Args:
        resources: at a path of the object.
        field: "requests" or "limits".
        name: of the resource: "memory".
    """
    text = (resources.get(field) or {}).get(name)
    if text is not None and parse_quantity(text) % 1:
        yield f'{at}.{field}[{name}]: fractional byte value "{text}" is invalid, must be an integer'
