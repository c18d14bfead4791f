"""The OpenAPI v2 document as protobuf, the only form in which some clients read it.

kubectl before 1.27, and later ones when they do not know a kind, ask for the message
`openapi.v2.Document` of the gnostic project (OpenAPIv2.proto); its field numbers are below.
Only what such a client looks at is encoded: schemas, and the parameters of operations.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import orjson

from pilotfish.objects.meta import Object
from pilotfish.objects.varint import encode_varint

# What clients ask for, and the same without the @ that no media type may contain.
ACCEPTED: Final = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
MEDIA_TYPE: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

_METHODS: Final = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}


def encode_document(document: Object) -> bytes:
    """A document of `openapi.document_v2` as protobuf."""
    info = _text(1, document["info"]["title"]) + _text(2, document["info"]["version"])
    paths = b"".join(
        _bytes(2, _named(path, _path_item(item))) for path, item in document["paths"].items()
    )
    definitions = _named_schemas(document["definitions"])
    return b"".join(
        (
            _text(1, document["swagger"]),
            _bytes(2, info),
            _bytes(8, paths),
            _bytes(9, definitions),
        )
    )


def _path_item(item: Object) -> bytes:
    operations = (
        _bytes(number, _operation(item[method]))
        for method, number in _METHODS.items()
        if method in item
    )
    parameters = (_bytes(9, _parameter(each)) for each in item.get("parameters", ()))
    return b"".join((*operations, *parameters))


def _operation(operation: Object) -> bytes:
    return b"".join(
        (
            *(_text(7, media_type) for media_type in operation.get("consumes", ())),
            *(_bytes(8, _parameter(each)) for each in operation.get("parameters", ())),
            *_extensions(13, operation),
        )
    )


def _parameter(parameter: Object) -> bytes:
    """A ParametersItem: a body, or a query or path parameter."""
    head = _text(2, parameter["in"])
    if parameter["in"] == "body":
        body = (
            _text(2, parameter["name"]) + _text(3, "body") + _bytes(5, _schema(parameter["schema"]))
        )
        return _bytes(1, _bytes(1, body))
    name, kind = parameter["name"], parameter["type"]
    if parameter["in"] == "path":
        path = _flag(1, True) + head + _text(4, name) + _text(5, kind)
        return _bytes(1, _bytes(2, _bytes(4, path)))
    query = head + _text(4, name) + _text(6, kind)
    return _bytes(1, _bytes(2, _bytes(3, query)))


def _schema(schema: Object) -> bytes:
    parts = []
    if "$ref" in schema:
        parts.append(_text(1, schema["$ref"]))
    if "format" in schema:
        parts.append(_text(2, schema["format"]))
    if "description" in schema:
        parts.append(_text(4, schema["description"]))
    parts += [_text(19, name) for name in schema.get("required", ())]
    others = schema.get("additionalProperties")
    if isinstance(others, bool):
        parts.append(_bytes(21, _flag(2, others)))
    elif others is not None:
        parts.append(_bytes(21, _bytes(1, _schema(others))))
    if "type" in schema:
        parts.append(_bytes(22, _text(1, schema["type"])))
    if "items" in schema:
        parts.append(_bytes(23, _bytes(1, _schema(schema["items"]))))
    if "properties" in schema:
        parts.append(_bytes(25, _named_schemas(schema["properties"])))
    parts += _extensions(31, schema)
    return b"".join(parts)


def _named_schemas(schemas: Object) -> bytes:
    return b"".join(_bytes(1, _named(name, _schema(each))) for name, each in schemas.items())


def _extensions(number: int, value: Object) -> Iterable[bytes]:
    """The `x-` fields as NamedAny; their values are YAML, of which JSON is a part."""
    for name, content in value.items():
        if name.startswith("x-"):
            yield _bytes(number, _named(name, _text(2, orjson.dumps(content).decode())))


def _named(name: str, value: bytes) -> bytes:
    return _text(1, name) + _bytes(2, value)


def _flag(number: int, value: bool) -> bytes:
    return encode_varint(number << 3) + encode_varint(int(value))


def _text(number: int, value: str) -> bytes:
    return _bytes(number, value.encode())


def _bytes(number: int, value: bytes) -> bytes:
    return encode_varint(number << 3 | 2) + encode_varint(len(value)) + value
