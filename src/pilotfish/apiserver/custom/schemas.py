"""Schemas of CustomResourceDefinitions: everything that Kubernetes asks of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pilotfish.apiserver.custom.default_values import validate_defaults
from pilotfish.apiserver.custom.extensions import validate_extensions
from pilotfish.apiserver.custom.keywords import PRESERVES, RULES
from pilotfish.apiserver.custom.ruled import has_rules
from pilotfish.apiserver.custom.structure import validate_structure
from pilotfish.apiserver.validation.causes import Cause, forbidden, invalid

# Of the root of a schema whose status is a subresource: it is validated apart from the rest.
_AT_THE_ROOT: Final = (
    *("description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum"),
    *("exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems"),
    *("uniqueItems", "multipleOf", "required", "items", "properties", "externalDocs", "example"),
    *(PRESERVES, RULES),
)
# Levels of a schema below one another. Kubernetes has no limit; those in use have less than 40.
_MAX_LEVELS: Final = 100


def validate_schema(
    schema: Mapping[str, Any], path: str, *, has_status: bool = False
) -> list[Cause]:
    """What is wrong with a schema.

    Args:
        has_status: whether status is a subresource.
    """
    if _is_deeper_than(_MAX_LEVELS, schema):
        return [invalid(path, "{…}", f"must not have more than {_MAX_LEVELS} levels")]
    causes = _validate_root(schema, path, has_status=has_status)
    causes += validate_structure(schema, path)
    faults_of_parts = validate_extensions(schema, path)
    if not causes and not faults_of_parts:
        causes += validate_defaults(schema, path)
    causes += faults_of_parts
    if not causes and has_rules(schema):
        from pilotfish.apiserver.custom.rules.compiling import validate_rules

        causes += validate_rules(schema, path)
    return causes


def _validate_root(schema: Mapping[str, Any], path: str, *, has_status: bool) -> list[Cause]:
    causes: list[Cause] = []
    if has_status:
        # Words that say nothing (`nullable: false`) are as good as none.
        others = [name for name, said in schema.items() if name not in _AT_THE_ROOT and said]
        if others:
            why = (
                f"only [{' '.join(_AT_THE_ROOT)}] fields are allowed at the root of the schema if "
                "the status subresource is enabled"
            )
            causes.append(invalid(path, {name: schema[name] for name in others}, why))
    if schema.get("nullable"):
        causes.append(forbidden(f"{path}.nullable", "nullable cannot be true at the root"))
    return causes


def _is_deeper_than(most: int, schema: Mapping[str, Any]) -> bool:
    """Whether a schema has so many levels of schemas that walking it could exhaust the stack."""
    level: list[Any] = [schema]
    # A schema below another is two levels of JSON deeper.
    for _ in range(2 * most):
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
