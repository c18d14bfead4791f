"""The types of Kubernetes' built-in kinds: fields, their types, how lists merge.

Read from `schema.json`, which `tools/make_schema.py` makes; the text of a
field's type there is `string`, `int32`, `@type` (a named type), `[]element` or
`{}value`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import orjson

FieldType = Literal[
    "string",
    "bytes",
    "int32",
    "int64",
    "integer",
    "number",
    "boolean",
    "quantity",
    "time",
    "microtime",
    "int-or-string",
    "object",
    "array",
    "map",
    "any",
]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a type, or the element of a list or map.

    Attributes:
        type: what the field holds.
        ref: for "object", the name of its type in `types()`.
        items: for "array" and "map", what each element is.
        required: whether the API demands it.
        list_type: "atomic", "set" or "map" (server-side apply); "" when unsaid.
        map_keys: the keys that tell the elements of a "map" list apart.
        merge_key: the key that strategic merge patch goes by.
        patch_strategy: of "merge", "replace", "retainKeys"; may be several.
        map_type: "atomic" for an object that is replaced as a whole.
        struct: for "object", its type where that has no name (custom resources).
        default: of a scalar, as a custom resource's schema says it.
    """

    type: FieldType
    ref: str = ""
    items: Field | None = None
    required: bool = False
    list_type: str = ""
    map_keys: tuple[str, ...] = ()
    merge_key: str = ""
    patch_strategy: tuple[str, ...] = ()
    map_type: str = ""
    struct: Type | None = None
    default: bool | float | int | str | None = None


@dataclass(frozen=True, slots=True)
class Type:
    """A named type: its fields in the order of the API's definition."""

    name: str
    fields: dict[str, Field]
    map_type: str = ""


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = orjson.loads(
        files("pilotfish.objects").joinpath("schema.json").read_bytes()
    )
    return table


def kinds() -> dict[str, str]:
    """The type's name of every built-in kind, by `apiVersion/kind`: `apps/v1/ReplicaSet`."""
    names: dict[str, str] = _table()["kinds"]
    return names


def type_names() -> tuple[str, ...]:
    """The names of all types, for those who publish them (OpenAPI)."""
    return tuple(_table()["types"])


@cache
def type_named(name: str) -> Type:
    """The type of that name.

    Raises:
        KeyError: when no stable kind of Kubernetes uses such a type.
    """
    entry = _table()["types"][name]
    fields = {field: _field(spec) for field, spec in entry["f"].items()}
    return Type(name, fields, entry.get("a", ""))


def schema_for(api_version: str, kind: str) -> Type | None:
    """The type of a built-in kind; None for one that Kubernetes does not define."""
    name = kinds().get(f"{api_version}/{kind}")
    return type_named(name) if name else None


def _field(spec: Any) -> Field:
    text, options = (spec, {}) if isinstance(spec, str) else spec
    plain = _plain(text)
    strategy = options.get("s", "")
    return Field(
        type=plain.type,
        ref=plain.ref,
        items=plain.items,
        required="r" in options,
        list_type=options.get("l", ""),
        map_keys=tuple(options.get("k", ())),
        merge_key=options.get("m", ""),
        patch_strategy=tuple(strategy.split(",")) if strategy else (),
        map_type=options.get("a", ""),
    )


@cache
def _plain(text: str) -> Field:
    if text.startswith("@"):
        return Field("object", ref=text[1:])
    if text.startswith("[]"):
        return Field("array", items=_plain(text[2:]))
    if text.startswith("{}"):
        return Field("map", items=_plain(text[2:]))
    scalar: FieldType = text  # type: ignore[assignment]  # make_schema.py writes no others
    return Field(scalar)
