"""Request bodies as protobuf, which Go clients send for built-in kinds.

The envelope is runtime.Unknown behind four magic bytes ("Protobuf" under "Alternate
representations of resources" in the Kubernetes documentation); the wire format is protobuf's
own. Which number is which field is in `protobuf.json`, made by `tools/make_protobuf.py`.

Protobuf cannot tell "not said" from a zero value for most fields, JSON can: zeros are left out
but where the API knows them apart (`replicas: 0`).
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

from pilotfish.apiserver.codec import UnreadableError, is_too_deep, load_json
from pilotfish.apiserver.errors import bad_request
from pilotfish.apiserver.limits import MAX_DEPTH
from pilotfish.objects.meta import Object
from pilotfish.objects.schema import kinds
from pilotfish.objects.times import format_micro, format_time

_MAGIC: Final = b"k8s\x00"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_64_BITS: Final = (1 << 64) - 1

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
        meta = dict(_fields(_bytes(envelope.get(1, b""))))
        api_version, kind = _text(meta.get(1, b"")), _text(meta.get(2, b""))
        type_name = kinds().get(f"{api_version}/{kind}")
        if kind == "DeleteOptions":  # registered in every group
            type_name = kinds()["v1/DeleteOptions"]
        if type_name is None or type_name not in _types():
            raise bad_request(f'no kind "{kind}" is registered for version "{api_version}"')
        obj = _message(type_name, envelope.get(2, b""), 1)
    except (ProtobufError, UnicodeDecodeError) as error:
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


def _message(type_name: str, data: Any, depth: int) -> Object:
    if depth > MAX_DEPTH:
        raise ProtobufError(f"exceeded max depth of {MAX_DEPTH}")
    # A type without fields is not in the table: being there is all that it says.
    fields = _types().get(type_name, {})
    obj: Object = {}
    below = depth + 1
    for number, raw in _fields(_bytes(data)):
        field = fields.get(number)
        if field is None:
            continue  # younger than the table
        name, kind = field
        if not name:
            obj.update(_message(kind[1:], raw, depth))
        elif kind.startswith("[]"):
            values = obj.setdefault(name, [])
            if isinstance(raw, bytes) and kind == "[]int":
                values.extend(_signed(value) for value in _packed(raw))
            else:
                # An element is one level, and the list around it another.
                values.append(_value(kind[2:], raw, below + 1))
        elif kind.startswith("{}"):
            entry = dict(_fields(_bytes(raw)))
            key = _text(entry.get(1, b""))
            default: Any = b"" if kind != "{}int" else 0
            obj.setdefault(name, {})[key] = _value(kind[2:], entry.get(2, default), below + 1)
        elif kind.startswith("?"):
            obj[name] = _value(kind[1:], raw, below)
        else:
            value = _value(kind, raw, below)
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


def _value(kind: str, raw: Any, depth: int) -> Any:
    if kind.startswith("@"):
        return _message(kind[1:], raw, depth)
    match kind:
        case "string":
            return _text(raw)
        case "int":
            return _signed(_number(raw))
        case "bool":
            return bool(_number(raw))
        case "double":
            return _double(raw)
        case "bytes":
            return base64.b64encode(_bytes(raw)).decode()
    parts = list(_fields(_bytes(raw)))
    fields = dict(parts)
    match kind:
        case "quantity":
            return _text(fields.get(1, b""))
        case "time" | "microtime":
            return _time(kind, fields)
        case "int-or-string":
            if _number(fields.get(1, 0)):
                return _text(fields.get(3, b""))
            return _signed(_number(fields.get(2, 0)))
        case "raw":
            return _json(_bytes(fields.get(1, b"")), depth)
        case "schema-or-bool":
            if 2 in fields:
                return _message(_SCHEMA, fields[2], depth)
            return bool(_number(fields.get(1, 0)))
        case "schema-or-list":
            return _schema_or_list(parts, depth)
        case "list":
            return [_text(value) for number, value in parts if number == 1]
    raise ProtobufError(f"unknown type {kind}")


def _bytes(raw: Any) -> bytes:
    if not isinstance(raw, bytes):
        raise ProtobufError("a number where bytes belong")
    return raw


def _text(raw: Any) -> str:
    return _bytes(raw).decode()


def _number(raw: Any) -> int:
    if not isinstance(raw, int):
        raise ProtobufError("bytes where a number belongs")
    return raw


def _double(raw: Any) -> float:
    if len(_bytes(raw)) != 8:
        raise ProtobufError("a double of another length than 8 bytes")
    value: float = struct.unpack("<d", raw)[0]
    if not math.isfinite(value):
        raise ProtobufError(f"{value} has no form in JSON")
    return value


def _json(data: bytes, depth: int) -> Any:
    """Any JSON, as it stands; null for nothing."""
    if not data:
        return None
    try:
        value = load_json(data)
    except UnreadableError as error:
        raise ProtobufError(str(error)) from error
    wrapped = value
    for _ in range(depth):
        wrapped = [wrapped]
    if is_too_deep(wrapped):
        raise ProtobufError(f"exceeded max depth of {MAX_DEPTH}")
    return value


def _schema_or_list(parts: list[tuple[int, Any]], depth: int) -> Any:
    """A schema, or a list: of schemas (items), or of names (dependencies)."""
    for number, value in parts:
        if number == 1:
            return _message(_SCHEMA, value, depth)
    return [_message(_SCHEMA, value, depth + 1) for _, value in parts]


def _time(kind: str, parts: dict[int, Any]) -> str | None:
    """A time; None for Go's zero time, which is sent as nothing at all."""
    if not parts:
        return None
    seconds, nanoseconds = _signed(_number(parts.get(1, 0))), _number(parts.get(2, 0))
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError as error:
        raise ProtobufError("a time outside the years 1 to 9999") from error
    if nanoseconds >= 10**9:
        raise ProtobufError("a second of more than 10^9 nanoseconds")
    if kind == "time":
        return format_time(moment)
    return format_micro(moment.replace(microsecond=nanoseconds // 1000))


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
        if at >= len(data):
            raise ProtobufError("it ends within a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _64_BITS, at
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
