"""Request bodies: JSON, YAML or protobuf in, one object out."""

from __future__ import annotations

import json
from typing import Any

import orjson

from pilotfish.apiserver.errors import bad_request, unsupported_media_type
from pilotfish.objects.meta import Object

PROTOBUF = "application/vnd.kubernetes.protobuf"
_YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml")
_OBJECT_TYPES = ("application/json", "application/yaml", PROTOBUF)


def decode_body(body: bytes, content_type: str) -> Object:
    """The object in a request body; kind and apiVersion may be missing.

    Raises:
        StatusError: 415 for another encoding, 400 for what is no object.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == PROTOBUF:
        from pilotfish.apiserver.protobuf import decode_protobuf

        return decode_protobuf(body)
    if kind in _YAML_TYPES:
        value = load_yaml(body)
    elif kind in ("", "application/json", "application/octet-stream", "text/plain"):
        value = load_json(body)
    else:
        raise unsupported_media_type(_OBJECT_TYPES)
    if not isinstance(value, dict):
        raise bad_request(
            "couldn't get version/kind; json parse error: json: cannot unmarshal "
            f"{json_type(value)} into Go value of type struct {{ APIVersion string; Kind string }}"
        )
    return value


def load_json(body: bytes) -> Any:
    """Read JSON.

    Raises:
        StatusError: 400, saying where it is not JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        text = f"couldn't get version/kind; json parse error: {error}"
        raise bad_request(text) from error


def load_yaml(body: bytes) -> Any:
    """Read YAML as Kubernetes does: one document, JSON's types only.

    Raises:
        StatusError: 400, saying where it is not YAML.
    """
    # Only clients without JSON come here; the parser is not loaded for the others.
    import yaml

    from pilotfish.apiserver.yaml_loader import JsonTypesLoader

    try:
        return yaml.load(body, JsonTypesLoader)  # a SafeLoader
    except yaml.YAMLError as error:
        raise bad_request(f"error converting YAML to JSON: {error}") from error


def duplicate_fields(body: bytes) -> list[str]:
    """The names of fields that a JSON body holds twice in one place.

    The fast parser keeps the last one silently; strict requests are told. Returns their
    names as kube-apiserver says them: `duplicate field "port"`.
    """
    found: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            seen: set[str] = set()
            for name, _ in pairs:
                if name in seen:
                    found.append(f'duplicate field "{name}"')
                seen.add(name)
        return fields

    try:
        json.loads(body, object_pairs_hook=collect)
    except ValueError:
        return []  # not JSON: YAML, whose parser has had its say
    return found


def json_type(value: Any) -> str:
    """The name that Go's JSON decoder has for a value's type."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "array"
    return "null" if value is None else "object"


def encode_body(obj: Any) -> bytes:
    """JSON of a value that is not kept encoded."""
    return orjson.dumps(obj)
