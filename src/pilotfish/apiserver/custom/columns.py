"""Columns of custom resources in tables, as their definitions tell them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import orjson

from pilotfish.apiserver.custom.jsonpath import JsonPathError, values_at
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.tables.durations import since
from pilotfish.apiserver.tables.printer import Cells

_AGE: Final[Mapping[str, Any]] = {
    "name": "Age",
    "type": "date",
    "jsonPath": ".metadata.creationTimestamp",
}
_NAME: Final[Mapping[str, Any]] = {
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
            "description": column.get("description", ""),
            "priority": column.get("priority", 0),
        }
        for column in resource.columns or (_AGE,)
    ]


def printer(resource: CustomResource) -> Callable[[Mapping[str, Any]], Cells]:
    """The function from an object to its cells; null where it has nothing to show."""
    columns = resource.columns or (_AGE,)

    def cells(obj: Mapping[str, Any]) -> Cells:
        return [obj["metadata"]["name"], *(_cell(obj, column) for column in columns)]

    return cells


def _cell(obj: Mapping[str, Any], column: Mapping[str, Any]) -> Any:
    try:
        found = values_at(obj, column["jsonPath"])
    except JsonPathError:
        return None
    if not found:
        return None
    value, kind = found[0], column["type"]
    match kind:
        case "date":
            try:
                return since(value) if isinstance(value, str) else None
            except ValueError:
                return "<invalid>"
        case "integer":
            return int(value) if _is_number(value) else None
        case "number":
            return float(value) if _is_number(value) else None
        case "boolean":
            return value if isinstance(value, bool) else None
    return ",".join(_texts(found))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _texts(values: Iterable[Any]) -> Iterable[str]:
    return (v if isinstance(v, str) else orjson.dumps(v).decode() for v in values)
