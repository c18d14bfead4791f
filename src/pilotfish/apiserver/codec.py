"""Request bodies: JSON or protobuf in, one object out. YAML was made JSON before (`content`)."""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from pilotfish.apiserver.errors import StatusError, bad_request, unsupported_media_type
from pilotfish.apiserver.limits import MAX_DEPTH
from pilotfish.objects.meta import Object

PROTOBUF = "application/vnd.kubernetes.protobuf"
YAML_TYPES: Final = ("application/yaml", "application/x-yaml", "text/yaml")
_JSON_TYPES: Final = ("", "application/json")
_OBJECT_TYPES = ("application/json", "application/yaml", PROTOBUF)
# How deeply orjson writes; what is wrapped in the difference may be MAX_DEPTH deep itself.
_WRITTEN_DEPTH: Final = 254
# So much of an unreadable body is shown.
_SHOWN: Final = 30


class UnreadableError(Exception):
    """Bytes that are no object; the text says why."""


def media_type(content_type: str) -> str:
    """The media type in a Content-Type header, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def decode_body(body: bytes, content_type: str, kind: str) -> Object:
    """The object in a request body; kind and apiVersion may be missing.

    Args:
        kind: what is expected, for the message.

    Raises:
        StatusError: 415 for another encoding, 400 for what is no object.
    """
    encoding = media_type(content_type)
    try:
        if encoding == PROTOBUF:
            from pilotfish.apiserver.protobuf import decode_protobuf

            return decode_protobuf(body)
        if encoding not in _JSON_TYPES:
            raise unsupported_media_type(_OBJECT_TYPES)
        value = load_json(body)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise UnreadableError(
                f"json: cannot unmarshal {json_type(value)} into Go value of type "
                "struct { APIVersion string; Kind string }"
            )
    except UnreadableError as error:
        why = f"couldn't get version/kind; json parse error: {error}"
        raise unrecognized(kind, why, body) from error
    for name in ("apiVersion", "kind"):
        if not isinstance(value.get(name), str | None):
            why = (
                f"couldn't get version/kind; json parse error: json: cannot unmarshal "
                f"{json_type(value[name])} into Go struct field .{name} of type string"
            )
            raise unrecognized(kind, why, body)
    return value


def unrecognized(kind: str, why: str, body: bytes) -> StatusError:
    """400 for a body that says not even what it is; shows its beginning."""
    start = body[:_SHOWN]
    if not body:
        shown = "<empty>"
    elif body.startswith(b"{"):
        shown = start.decode(errors="replace")
    else:
        shown = start.hex()
    more = " ..." if len(body) > _SHOWN else ""
    return bad_request(
        f"the object provided is unrecognized (must be of type {kind}): {why} ({shown}{more})"
    )


def load_json(body: bytes) -> Any:
    """Read JSON of at most MAX_DEPTH levels.

    Raises:
        UnreadableError: saying where it is not JSON.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableError(str(error)) from error
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and is_too_deep(value):
        raise UnreadableError(f"exceeded max depth of {MAX_DEPTH}")
    return value


def is_too_deep(value: Any) -> bool:
    """Tell whether a value has more than MAX_DEPTH levels."""
    wrapped = value
    for _ in range(_WRITTEN_DEPTH - MAX_DEPTH):
        wrapped = [wrapped]
    try:
        orjson.dumps(wrapped)
    except orjson.JSONEncodeError:
        return True
    return False


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all its fields, those of one name too."""


def duplicate_fields(body: bytes) -> list[str]:
    """The fields that a JSON body holds twice in one place.

    The fast parser keeps the last one silently; strict requests are told. Returns them as
    kube-apiserver says them: `duplicate field "spec.ports[0].port"`.
    """
    has_duplicates = False

    def notice(pairs: list[tuple[str, Any]]) -> None:
        nonlocal has_duplicates
        if len(pairs) > 1 and len(dict(pairs)) != len(pairs):
            has_duplicates = True

    try:
        # Numbers stay text: they do not matter, and may be long.
        json.loads(body, object_pairs_hook=notice, parse_int=str, parse_float=str)
        if not has_duplicates:
            return []
        value = json.loads(body, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except ValueError:
        return []  # not JSON but protobuf, which has no such thing
    found: dict[str, None] = {}
    _collect_duplicates(value, "", found)
    return [f'duplicate field "{path}"' for path in found]


def _collect_duplicates(value: Any, path: str, found: dict[str, None]) -> None:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for name, item in value:
            below = f"{path}.{name}" if path else name
            if name in seen:
                found[below] = None
            seen.add(name)
            _collect_duplicates(item, below, found)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _collect_duplicates(item, f"{path}[{index}]", found)


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
