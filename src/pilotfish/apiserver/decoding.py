"""Decoding by schema: what Go's typed decoder does to a JSON object, done to a dict.

Values of the wrong type are refused, nulls are dropped, fields that the type does not have
are dropped and reported (`fieldValidation`), numbers in quantities become text.
"""

from __future__ import annotations

import binascii
from typing import Any, Final, Literal

from pilotfish.apiserver.codec import json_type
from pilotfish.apiserver.custom.embedding import embedded_in
from pilotfish.apiserver.custom.objects import prune_object
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.validation.causes import invalid
from pilotfish.apiserver.wrong_types import (
    DecodingError,
    WrongTypeError,
    demand,
    go_name,
    struct_field,
    wrong,
)
from pilotfish.objects.meta import Object
from pilotfish.objects.quantities import parse_quantity
from pilotfish.objects.resources import Resource
from pilotfish.objects.schema import Field, Type, schema_for, type_named
from pilotfish.objects.times import normal_time

FieldValidation = Literal["Ignore", "Warn", "Strict"]

_INT_RANGES: Final = {
    "int32": (-(2**31), 2**31 - 1, "int32"),
    "int64": (-(2**63), 2**63 - 1, "int64"),
    "integer": (-(2**63), 2**63 - 1, "int64"),
}
# What Go makes of null where a value has to be: the element of a list, the value of a map.
_ZEROS: Final[dict[str, Any]] = {
    "string": "",
    "bytes": "",
    "int32": 0,
    "int64": 0,
    "integer": 0,
    "number": 0,
    "boolean": False,
    "quantity": "0",
    "int-or-string": 0,
}
# Types whose fields are open: what is in them is not for this server to know.
_SCHEMA: Final = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
_OPEN_TYPES: Final = frozenset({_SCHEMA})
# Fields of a schema that hold a schema, or a value of another type.
_CHOICES: Final[dict[str, tuple[str, type]]] = {
    "additionalItems": ("v1.JSONSchemaPropsOrBool", bool),
    "additionalProperties": ("v1.JSONSchemaPropsOrBool", bool),
    "items": ("v1.JSONSchemaPropsOrArray", list),
}
# Of a custom resource's objects the metadata alone has a built-in type.
_METADATA: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_CUSTOM: Final = Type("", {"metadata": Field("object", ref=_METADATA)})


def decode_object(resource: Resource, obj: Object) -> list[str]:
    """Bring an object into the form of its kind, in place.

    Returns:
        What a strict decoder would refuse: `unknown field "spec.foo"`.

    Raises:
        StatusError: 400 for a value of the wrong type.
    """
    if isinstance(resource, CustomResource):
        metadata = {"metadata": obj.get("metadata")}
        unknown = decode_as(_CUSTOM, metadata, resource.kind, resource.version)
        unknown += prune_object(resource, obj)
        return unknown + (_decode_embedded(resource, obj) if resource.embeds else [])
    schema = schema_for(resource.api_version, resource.kind)
    if schema is None:
        return []
    return decode_as(schema, obj, resource.kind, resource.version)


def _decode_embedded(resource: CustomResource, obj: Object) -> list[str]:
    """Bring the metadata of embedded resources into its form; returns what has no place in it."""
    unknown: list[str] = []
    for path, embedded in embedded_in(obj, resource.schema):
        if "metadata" not in embedded:
            continue
        metadata = embedded["metadata"]
        try:
            if metadata is not None and type(metadata) is not dict:
                found = json_type(metadata)
                why = f"json: cannot unmarshal {found} into Go value of type v1.ObjectMeta"
                raise WrongTypeError(why)
            embedded["metadata"] = metadata or {}
            _struct(type_named(_METADATA), metadata or {}, f"{path}.metadata.", "", unknown)
        except WrongTypeError as error:
            refused = str(invalid(f"{path}.metadata", metadata, str(error)))
            raise DecodingError(resource.kind, resource.version, WrongTypeError(refused)) from error
    return unknown


def decode_as(schema: Type, obj: Object, kind: str, version: str) -> list[str]:
    """`decode_object` for a named type, such as the Scale of a scale subresource."""
    unknown: list[str] = []
    try:
        _struct(schema, obj, "", "", unknown)
    except WrongTypeError as error:
        raise DecodingError(kind, version, error) from error
    return unknown


def _struct(schema: Type, obj: Object, path: str, go_path: str, unknown: list[str]) -> None:
    fields = schema.fields
    for name, value in list(obj.items()):
        field = fields.get(name)
        if field is None:
            if schema.name not in _OPEN_TYPES:
                unknown.append(f'unknown field "{path}{name}"')
                del obj[name]
            continue
        if value is None:
            del obj[name]
            continue
        kind = field.type
        if kind == "string":
            if type(value) is not str:
                raise wrong(value, schema, go_path + name, "string")
        elif kind == "object":
            if type(value) is not dict:
                ref = field.ref.rpartition(".")[2]
                raise wrong(value, schema, go_path + name, f"v1.{ref}")
            _struct(type_named(field.ref), value, f"{path}{name}.", f"{go_path}{name}.", unknown)
        else:
            obj[name] = _value(field, value, schema, path + name, go_path + name, unknown)


def _value(
    field: Field, value: Any, schema: Type, path: str, go_path: str, unknown: list[str]
) -> Any:
    """The value as the field holds it."""
    match field.type:
        case "string":
            demand(type(value) is str, value, schema, go_path, "string")
        case "object":
            demand(type(value) is dict, value, schema, go_path, f"v1.{field.ref.split('.')[-1]}")
            _struct(type_named(field.ref), value, f"{path}.", f"{go_path}.", unknown)
        case "array":
            demand(type(value) is list, value, schema, go_path, f"[]{go_name(field.items)}")
            _elements(field, value, schema, path, go_path, unknown)
        case "map":
            demand(
                type(value) is dict, value, schema, go_path, f"map[string]{go_name(field.items)}"
            )
            _entries(field, value, schema, path, go_path, unknown)
        case "boolean":
            demand(type(value) is bool, value, schema, go_path, "bool")
        case "int32" | "int64" | "integer":
            return _integer(field.type, value, schema, go_path)
        case "number":
            demand(type(value) in (int, float), value, schema, go_path, "float64")
        case "quantity":
            return _quantity(value)
        case "int-or-string":
            if type(value) is not str:
                return _integer("int32", value, schema, go_path)
        case "time" | "microtime":
            demand(type(value) is str, value, schema, go_path, "string")
            return _time(value, field.type == "microtime")
        case "bytes":
            demand(type(value) is str, value, schema, go_path, "[]uint8")
            return _bytes(value)
        case "any" if schema.name == _SCHEMA and (go_path.rpartition(".")[2] in _CHOICES):
            _choice(value, schema, path, go_path, unknown)
    return value


def _choice(value: Any, schema: Type, path: str, go_path: str, unknown: list[str]) -> None:
    """A field of a schema that is a schema or something else (JSONSchemaPropsOrBool, …)."""
    name = go_path.rpartition(".")[2]
    go_type, other = _CHOICES[name]
    if type(value) is dict:
        _struct(schema, value, f"{path}.", f"{go_path}.", unknown)
        return
    demand(type(value) is other, value, schema, go_path, go_type)
    if type(value) is list:
        for index, item in enumerate(value):
            demand(type(item) is dict, item, schema, go_path, go_type)
            _struct(schema, item, f"{path}[{index}].", f"{go_path}.", unknown)


def _elements(
    field: Field, values: list[Any], schema: Type, path: str, go_path: str, unknown: list[str]
) -> None:
    item = field.items
    if item is None:
        return
    if item.type == "object":
        schema_of_item = type_named(item.ref)
        go_type = f"v1.{schema_of_item.name.split('.')[-1]}"
        for index, value in enumerate(values):
            if value is None:
                values[index] = {}
                continue
            demand(type(value) is dict, value, schema, go_path, go_type)
            _struct(schema_of_item, value, f"{path}[{index}].", f"{go_path}.", unknown)
        return
    for index, value in enumerate(values):
        if value is None:
            values[index] = _zero(item)
            continue
        values[index] = _value(item, value, schema, f"{path}[{index}]", go_path, unknown)


def _entries(
    field: Field, values: Object, schema: Type, path: str, go_path: str, unknown: list[str]
) -> None:
    item = field.items
    if item is None or item.type == "any":
        return
    for key, value in values.items():
        if value is None:
            values[key] = _zero(item)
            continue
        values[key] = _value(item, value, schema, f"{path}.{key}", go_path, unknown)


def _zero(field: Field) -> Any:
    """Go's zero value of a type, in JSON."""
    if field.type == "array":
        return []
    return {} if field.type in ("object", "map") else _ZEROS.get(field.type)


def _time(text: str, is_micro: bool) -> str:
    """A time as Kubernetes writes it: UTC, in seconds or microseconds."""
    try:
        return normal_time(text, is_micro)
    except ValueError as error:
        layout = "2006-01-02T15:04:05.000000Z07:00" if is_micro else "2006-01-02T15:04:05Z07:00"
        raise WrongTypeError(
            f'parsing time "{text}" as "{layout}": cannot parse "{text}" as "2006"'
        ) from error


def _integer(kind: str, value: Any, schema: Type, go_path: str) -> int:
    low, high, go_type = _INT_RANGES[kind]
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise wrong(value, schema, go_path, go_type)
    if not low <= value <= high:
        raise WrongTypeError(
            f"json: cannot unmarshal number {value} into Go struct field "
            f"{struct_field(schema, go_path)} of type {go_type}"
        )
    return value


def _quantity(value: Any) -> str:
    text = value if type(value) is str else str(value)
    try:
        parse_quantity(text)
    except ValueError as error:
        raise WrongTypeError(str(error)) from error
    return text


def _bytes(value: str) -> str:
    try:
        binascii.a2b_base64(value, strict_mode=True)
    except ValueError as error:  # binascii.Error, or text that is not ASCII
        try:
            # Line breaks are let through, as Go's decoder does.
            clean = value.replace("\n", "").replace("\r", "")
            binascii.a2b_base64(clean, strict_mode=True)
            return clean
        except ValueError:
            raise WrongTypeError(f"illegal base64 data: {error}") from error
    return value
