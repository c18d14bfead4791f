"""Columns of custom resources in tables, as their definitions tell them.

Source: k8s.io/apiextensions-apiserver, pkg/registry/customresource/tableconvertor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import orjson

from pilotfish.apiserver.custom.jsonpath import readable, values_at
from pilotfish.apiserver.custom.jsonpath_steps import JsonPathError, Path
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.tables.durations import since
from pilotfish.apiserver.tables.printer import UNKNOWN, Cells

Column = Mapping[str, Any]

_AGE: Final[Column] = {
    "name": "Age",
    "type": "date",
    "jsonPath": ".metadata.creationTimestamp",
}
_NAME: Final[Column] = {
    "name": "Name",
    "type": "string",
    "format": "name",
    "description": "",
    "priority": 0,
}


def definitions(resource: CustomResource) -> list[dict[str, Any]]:
    """The column definitions of a resource's Table: the name, then what its author chose."""
    return [dict(_NAME)] + [
        {
            "name": column["name"],
            "type": column["type"],
            "format": column.get("format", ""),
            "description": column.get("description")
            or f"Custom resource definition column (in JSONPath format): {column['jsonPath']}",
            "priority": column.get("priority", 0),
        }
        for column, _ in _readable(resource)
    ]


def printer(resource: CustomResource) -> Callable[[Mapping[str, Any]], Cells]:
    """The function from an object to its cells; null where it has nothing to show."""
    columns = list(_readable(resource))

    def cells(obj: Mapping[str, Any]) -> Cells:
        return [
            obj["metadata"]["name"],
            *(_cell(obj, column["type"], path) for column, path in columns),
        ]

    return cells


def _readable(resource: CustomResource) -> Iterator[tuple[Column, Path]]:
    """The columns in front of the first whose path cannot be read, with their paths."""
    for column in resource.columns or (_AGE,):
        path = readable(column["jsonPath"])
        if path is None:
            return
        yield column, path


def _cell(obj: Mapping[str, Any], kind: str, path: Path) -> Any:
    try:
        found = values_at(obj, path)
    except JsonPathError:
        return None
    if not found:
        return None
    value = found[0]
    match kind:
        case "date":
            return _age(value) if isinstance(value, str) else None
        case "integer":
            return int(value) if _is_number(value) else None
        case "number":
            return float(value) if _is_number(value) else None
        case "boolean":
            return value if isinstance(value, bool) else None
    return _text(value)


def _age(timestamp: str) -> str:
    if timestamp in ("", "null"):
        return UNKNOWN
    try:
        return since(timestamp)
    except ValueError:
        return "<invalid>"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    """A value as Go prints it: scalars bare, lists and maps as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<no value>"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if isinstance(value, float):
        return repr(value)
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    for character in "&<>":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
