"""Protobuf as Go clients write it: an object's bytes, by the table that the server reads by."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime
from typing import Any

import orjson

from pilotfish.apiserver import protobuf
from pilotfish.objects.meta import Object
from pilotfish.objects.schema import kinds
from pilotfish.objects.times import parse_time

_SCHEMA = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"


def varint(number: int) -> bytes:
    """A number in base 128, the lowest digit first; negative ones in 64 bits."""
    number &= (1 << 64) - 1
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    return bytes(digits) + bytes((number,))


def field(number: int, value: bytes | int) -> bytes:
    """One protobuf field."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    """A message behind Kubernetes' magic bytes, with what it is."""
    meta = field(1, api_version.encode()) + field(2, kind.encode())
    return b"k8s\x00" + field(1, meta) + field(2, raw) + field(3, b"") + field(4, b"")


def encode(obj: Object) -> bytes:
    """An object as a request's body. Fields that the table does not have are left out."""
    api_version, kind = obj["apiVersion"], obj["kind"]
    return envelope(api_version, kind, message(kinds()[f"{api_version}/{kind}"], obj))


def message(type_name: str, obj: Object) -> bytes:
    """An object of a named type."""
    parts = []
    for number, (name, kind) in protobuf._types().get(type_name, {}).items():
        if not name:
            parts.append(field(number, message(kind[1:], obj)))
        elif name in obj:
            parts.append(_encoded(number, kind, obj[name]))
    return b"".join(parts)


def _encoded(number: int, kind: str, value: Any) -> bytes:
    if kind.startswith("[]"):
        return b"".join(_one(number, kind[2:], item) for item in value)
    if kind.startswith("{}"):
        entries = (field(1, key.encode()) + _one(2, kind[2:], item) for key, item in value.items())
        return b"".join(field(number, entry) for entry in entries)
    return _one(number, kind.removeprefix("?"), value)


def _one(number: int, kind: str, value: Any) -> bytes:
    if kind == "double":
        return varint(number << 3 | 1) + struct.pack("<d", value)
    return field(number, _value(kind, value))


def _value(kind: str, value: Any) -> bytes | int:
    if kind.startswith("@"):
        return message(kind[1:], value)
    match kind:
        case "string":
            return str(value).encode()
        case "int" | "bool":
            return int(value)
        case "bytes":
            return base64.b64decode(value)
        case "quantity":
            return field(1, str(value).encode())
        case "time" | "microtime":
            moment = parse_time(value) - datetime(1970, 1, 1, tzinfo=UTC)
            seconds = moment.days * 86_400 + moment.seconds
            return field(1, seconds) + field(2, moment.microseconds * 1000)
        case "int-or-string":
            if isinstance(value, str):
                return field(1, 1) + field(2, 0) + field(3, value.encode())
            return field(1, 0) + field(2, value) + field(3, b"")
        case "raw":
            return field(1, orjson.dumps(value))
        case "list":
            return b"".join(field(1, item.encode()) for item in value)
        case "schema-or-bool":
            if isinstance(value, bool):
                return field(1, int(value))
            return field(1, 1) + field(2, message(_SCHEMA, value))
        case "schema-or-list":
            if isinstance(value, list):
                return b"".join(field(2, message(_SCHEMA, item)) for item in value)
            return field(1, message(_SCHEMA, value))
    raise AssertionError(f"no such kind of value: {kind}")
