"""Request bodies as protobuf, which Go clients send for built-in kinds.

The envelope is runtime.Unknown behind four magic bytes ("Protobuf" under "Alternate
representations of resources" in the Kubernetes documentation); the wire format is protobuf's
own. Which number is which field is in `protobuf.json`, made by `tools/make_protobuf.py`.

Protobuf cannot tell "not said" from a zero value for most fields, JSON can: zeros are left out
but where the API knows them apart (`replicas: 0`).
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

from pilotfish.apiserver.errors import bad_request
from pilotfish.objects.meta import Object
from pilotfish.objects.schema import kinds
from pilotfish.objects.times import format_micro, format_time

_MAGIC: Final = b"k8s\x00"

# Fields whose zero means something though they are no pointers in Kubernetes' Go types.
_ZERO_MEANS_ZERO: Final = frozenset({"maxReplicas", "ready", "replicas", "value", "weight"})
# IntOrString values (not pointers) whose zero means that nothing was said.
_ZERO_MEANS_NOTHING: Final = frozenset({"port", "targetPort"})


_SCHEMA: Final = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"


class ProtobufError(Exception):
    """Bytes that are no such message."""


def decode_protobuf(body: bytes) -> Object:
    """The object in a protobuf body.

    Raises:
        StatusError: 400 for what is no protobuf, or a kind that has no protobuf form.
    """
    if not body.startswith(_MAGIC):
        raise bad_request("provided data does not appear to be a protobuf message")
    try:
        envelope = dict(_fields(body[4:]))
        meta = dict(_fields(envelope.get(1, b"")))
        api_version, kind = meta.get(1, b"").decode(), meta.get(2, b"").decode()
        type_name = kinds().get(f"{api_version}/{kind}")
        if kind == "DeleteOptions":  # registered in every group
            type_name = kinds()["v1/DeleteOptions"]
        if type_name is None or type_name not in _types():
            raise bad_request(f'no kind "{kind}" is registered for version "{api_version}"')
        obj = _message(type_name, envelope.get(2, b""))
    except (ProtobufError, IndexError, UnicodeDecodeError, AttributeError, TypeError) as error:
        raise bad_request(f"the body is no valid protobuf message: {error}") from error
    return {"apiVersion": api_version, "kind": kind, **obj}


@cache
def _types() -> dict[str, dict[int, tuple[str, str]]]:
    """Of each type, by number, the field's name ("" where it is inlined) and type."""
    source = files("pilotfish.apiserver").joinpath("protobuf.json").read_bytes()
    return {
        name: {int(number): _split(text) for number, text in fields.items()}
        for name, fields in orjson.loads(source).items()
    }


def _split(text: str) -> tuple[str, str]:
    name, _, kind = text.partition(":")
    return name, kind


def _message(type_name: str, data: bytes) -> Object:
    fields = _types()[type_name]
    obj: Object = {}
    for number, raw in _fields(data):
        field = fields.get(number)
        if field is None:
            continue  # younger than the table
        name, kind = field
        if not name:
            obj.update(_message(kind[1:], raw))
        elif kind.startswith("[]"):
            values = obj.setdefault(name, [])
            if isinstance(raw, bytes) and kind == "[]int":
                values.extend(_signed(value) for value in _packed(raw))
            else:
                values.append(_value(kind[2:], raw))
        elif kind.startswith("{}"):
            entry = dict(_fields(raw))
            key = entry.get(1, b"").decode()
            default: Any = b"" if kind != "{}int" else 0
            obj.setdefault(name, {})[key] = _value(kind[2:], entry.get(2, default))
        elif kind.startswith("?"):
            obj[name] = _value(kind[1:], raw)
        else:
            value = _value(kind, raw)
            if not _says_nothing(name, kind, value):
                obj[name] = value
    return obj


def _says_nothing(name: str, kind: str, value: Any) -> bool:
    """Whether a single field holds what Go writes when nothing was said."""
    if value is None:
        return True
    if kind == "int-or-string":
        return name in _ZERO_MEANS_NOTHING and value in (0, "")
    if kind in ("string", "int", "bool", "bytes", "double", "list"):
        return not value and name not in _ZERO_MEANS_ZERO
    return False


def _value(kind: str, raw: Any) -> Any:
    if kind.startswith("@"):
        return _message(kind[1:], raw)
    match kind:
        case "string":
            return raw.decode()
        case "int":
            return _signed(raw)
        case "bool":
            return bool(raw)
        case "double":
            return struct.unpack("<d", raw)[0]
        case "bytes":
            return base64.b64encode(raw).decode()
        case "quantity":
            return dict(_fields(raw)).get(1, b"").decode()
        case "time" | "microtime":
            return _time(kind, dict(_fields(raw)))
        case "int-or-string":
            parts = dict(_fields(raw))
            text: str = parts.get(3, b"").decode()
            return text if parts.get(1) else _signed(parts.get(2, 0))
        case "raw":
            inner = dict(_fields(raw)).get(1, b"")
            return orjson.loads(inner) if inner else None
        case "schema-or-bool":
            either = dict(_fields(raw))
            return _message(_SCHEMA, either[2]) if 2 in either else bool(either.get(1))
        case "schema-or-list":
            return _schema_or_list(list(_fields(raw)))
        case "list":
            return [value.decode() for number, value in _fields(raw) if number == 1]
    raise ProtobufError(f"unknown type {kind}")


def _schema_or_list(parts: list[tuple[int, Any]]) -> Any:
    """A schema, or a list: of schemas (items), or of names (dependencies)."""
    for number, value in parts:
        if number == 1:
            return _message(_SCHEMA, value)
    return [_message(_SCHEMA, value) for _, value in parts]


def _time(kind: str, parts: dict[int, Any]) -> str | None:
    """A time; None for Go's zero time, which is sent as nothing at all."""
    if not parts:
        return None
    seconds = _signed(parts.get(1, 0))
    moment = datetime.fromtimestamp(seconds, UTC)
    if kind == "time":
        return format_time(moment)
    return format_micro(moment.replace(microsecond=parts.get(2, 0) // 1000))


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """The (number, value) pairs of a message: an unsigned integer, or bytes."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                value, at = _varint(data, at)
                yield key >> 3, value
                continue
            case 1:
                size = 8
            case 2:
                size, at = _varint(data, at)
            case 5:
                size = 4
            case wire:
                raise ProtobufError(f"wire type {wire}")
        if at + size > end:
            raise ProtobufError("it ends within a field")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ProtobufError("a number of more than 64 bits")


def _packed(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _signed(value: int) -> int:
    """A number from its two's complement in 64 bits, as protobuf writes int32 and int64."""
    return value - (1 << 64) if value >= 1 << 63 else value
