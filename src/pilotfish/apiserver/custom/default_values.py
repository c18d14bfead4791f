"""Defaults of schemas: each has to be a value that its own schema takes.

"Defaulting" in the documentation of CustomResourceDefinitions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from pilotfish.apiserver.custom.embedded_checks import validate_embedded
from pilotfish.apiserver.custom.keywords import EMBEDS, IDENTITY
from pilotfish.apiserver.custom.pruning import prune
from pilotfish.apiserver.custom.validating import validate_value
from pilotfish.apiserver.validation.causes import Cause, invalid

Schema = Mapping[str, Any]


def validate_defaults(schema: Schema, path: str) -> list[Cause]:
    """What is wrong with the defaults of a structural schema."""
    return list(_defaults(schema, path, in_metadata=False, is_root=True))


def _defaults(
    schema: Schema, path: str, *, in_metadata: bool, is_root: bool = False
) -> Iterator[Cause]:
    embeds = bool(schema.get(EMBEDS))
    in_metadata = in_metadata and not embeds
    default = schema.get("default")
    if default is not None:
        if not in_metadata:
            yield from _unknown(default, schema, f"{path}.default")
        yield from validate_value(default, schema, f"{path}.default")
        yield from validate_embedded(default, schema, f"{path}.default")
    # Kubernetes does not look into additionalProperties here either.
    if isinstance(schema.get("items"), Mapping):
        yield from _defaults(schema["items"], f"{path}.items", in_metadata=in_metadata)
    for name, child in (schema.get("properties") or {}).items():
        is_identity = (embeds or is_root) and name in IDENTITY
        yield from _defaults(
            child, f"{path}.properties[{name}]", in_metadata=in_metadata or is_identity
        )


def _unknown(default: Any, schema: Schema, path: str) -> Iterator[Cause]:
    if prune(deepcopy(default), schema, is_root=bool(schema.get(EMBEDS))):
        yield invalid(path, default, "must not have unknown fields")
