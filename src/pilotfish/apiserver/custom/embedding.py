"""Embedded resources: objects within custom resources, with a type and metadata of their own.

A schema marks them with `x-kubernetes-embedded-resource`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pilotfish.apiserver.custom.keywords import EMBEDS
from pilotfish.objects.meta import Object

Schema = Mapping[str, Any]


def embeds_any(schema: Schema) -> bool:
    """Whether values of a schema can hold embedded resources."""
    children = [*(schema.get("properties") or {}).values()]
    children += [schema.get("items"), schema.get("additionalProperties")]
    return bool(schema.get(EMBEDS)) or any(
        embeds_any(child) for child in children if isinstance(child, Mapping)
    )


def embedded_in(value: Any, schema: Schema, path: str = "") -> Iterator[tuple[str, Object]]:
    """The embedded resources of a value with their paths, outer ones first."""
    if isinstance(value, list):
        items = schema.get("items") or {}
        for index, item in enumerate(value):
            yield from embedded_in(item, items, f"{path}[{index}]")
    elif isinstance(value, dict):
        if schema.get(EMBEDS):
            yield path, value
        properties = schema.get("properties") or {}
        others = schema.get("additionalProperties")
        for name, child in value.items():
            if name in properties:
                below = f"{path}.{name}" if path else name
                yield from embedded_in(child, properties[name], below)
            elif isinstance(others, Mapping):
                yield from embedded_in(child, others, f"{path}[{name}]")
