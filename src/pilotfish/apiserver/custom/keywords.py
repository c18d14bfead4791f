"""Keywords that Kubernetes added to OpenAPI's schemas, and the fields that every object has."""

from __future__ import annotations

from typing import Final

EMBEDS: Final = "x-kubernetes-embedded-resource"
INT_OR_STRING: Final = "x-kubernetes-int-or-string"
LIST_KEYS: Final = "x-kubernetes-list-map-keys"
LIST_TYPE: Final = "x-kubernetes-list-type"
MAP_TYPE: Final = "x-kubernetes-map-type"
PRESERVES: Final = "x-kubernetes-preserve-unknown-fields"
RULES: Final = "x-kubernetes-validations"

# How a schema with INT_OR_STRING may spell out its types, in anyOf.
INT_OR_STRING_TYPES: Final = [{"type": "integer"}, {"type": "string"}]

IDENTITY: Final = frozenset({"apiVersion", "kind", "metadata"})
