"""Defaults of structural schemas, filled in where a field is left out."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any


def fill_defaults(value: Any, schema: Mapping[str, Any]) -> None:
    """Fill in the schema's defaults, in place; a null that is not allowed counts as left out."""
    if isinstance(value, list):
        items = schema.get("items")
        if items:
            for item in value:
                fill_defaults(item, items)
        return
    if not isinstance(value, dict):
        return
    properties: Mapping[str, Any] = schema.get("properties") or {}
    for name, child in properties.items():
        if name in value and value[name] is None and not child.get("nullable"):
            del value[name]
        if name not in value and "default" in child:
            value[name] = deepcopy(child["default"])
        if name in value:
            fill_defaults(value[name], child)
    others = schema.get("additionalProperties")
    if isinstance(others, Mapping):
        for name in [name for name in value if name not in properties]:
            if value[name] is None and not others.get("nullable"):
                if "default" not in others:
                    del value[name]
                    continue
                value[name] = deepcopy(others["default"])
            fill_defaults(value[name], others)
