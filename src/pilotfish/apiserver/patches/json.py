"""JSON patch (RFC 6902) with JSON pointers (RFC 6901)."""

from __future__ import annotations

from typing import Any

import orjson

from pilotfish.apiserver.limits import MAX_BODY
from pilotfish.apiserver.patches.errors import PatchError, PatchFailedError


def json_patch(document: Any, patch: Any) -> Any:
    """The document after all operations of the patch; the document may be changed.

    Raises:
        PatchError: when the patch is not a list of operations.
        PatchFailedError: when an operation finds nothing at its path, or a test fails.
    """
    if not isinstance(patch, list):
        raise PatchError("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    copied = _Copied()
    for operation in patch:
        if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
            raise PatchError("a JSON patch operation has an op and a path")
        try:
            document = _apply(document, operation, copied)
        except PatchFailedError as error:
            raise PatchFailedError(
                f"{operation.get('op')} operation does not apply: {error}"
            ) from error
    return document


class _Copied:
    """The size of all copies of a patch: a line that is doubled ten times becomes a thousand."""

    def __init__(self) -> None:
        self._bytes = 0

    def copy(self, value: Any) -> Any:
        """A copy of a value.

        Raises:
            PatchFailedError: when all copies together are too large, or this one too deep.
        """
        try:
            encoded = orjson.dumps(value)
        except orjson.JSONEncodeError as error:
            raise PatchFailedError(f"the copy cannot be made: {error}") from error
        self._bytes += len(encoded)
        if self._bytes > MAX_BODY:
            raise PatchFailedError(
                "Unable to complete the copy, the accumulated size increase of copy is "
                f"{self._bytes}, exceeding the limit {MAX_BODY}"
            )
        return orjson.loads(encoded)


def _apply(document: Any, operation: dict[str, Any], copied: _Copied) -> Any:
    path = _pointer(operation["path"])
    match operation.get("op"):
        case "add":
            return _add(document, path, _value(operation))
        case "remove":
            return _remove(document, path)[0]
        case "replace":
            _find(document, path)
            if not path:
                return _value(operation)
            parent = _find(document, path[:-1])
            parent[_place(parent, path)] = _value(operation)
            return document
        case "move":
            document, value = _remove(document, _from(operation))
            return _add(document, path, value)
        case "copy":
            return _add(document, path, copied.copy(_find(document, _from(operation))))
        case "test":
            if not _equal(_find_or_none(document, path), operation.get("value")):
                raise PatchFailedError(f"testing value {operation['path']} failed: test failed")
            return document
    raise PatchFailedError(f"Unexpected kind: {operation.get('op')}")


def _value(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise PatchError(f"{operation['op']} operation without a value")
    return operation["value"]


def _from(operation: dict[str, Any]) -> list[str]:
    source = operation.get("from")
    if not isinstance(source, str):
        raise PatchError(f"{operation['op']} operation without a from")
    return _pointer(source)


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise PatchError(f"the path {text!r} is no JSON pointer: it does not begin with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _find(document: Any, path: list[str]) -> Any:
    for depth, _ in enumerate(path, 1):
        document = document[_place(document, path[:depth])]
    return document


def _find_or_none(document: Any, path: list[str]) -> Any:
    try:
        return _find(document, path)
    except PatchFailedError:
        return None


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _find(document, path[:-1])
    if isinstance(parent, list):
        index = len(parent) if path[-1] == "-" else _index(path, len(parent))
        parent.insert(index, value)
    elif isinstance(parent, dict):
        parent[path[-1]] = value
    else:
        raise _missing(path)
    return document


def _remove(document: Any, path: list[str]) -> tuple[Any, Any]:
    if not path:
        return None, document
    parent = _find(document, path[:-1])
    place = _place(parent, path)
    return document, parent.pop(place)


def _place(parent: Any, path: list[str]) -> Any:
    """The key or index of the path's last part, which is there in the parent."""
    if isinstance(parent, dict) and path[-1] in parent:
        return path[-1]
    if isinstance(parent, list):
        return _index(path, len(parent) - 1)
    raise _missing(path)


def _index(path: list[str], last: int) -> int:
    part = path[-1]
    if not part.isdecimal() or (part != "0" and part.startswith("0")) or int(part) > last:
        raise _missing(path)
    return int(part)


def _missing(path: list[str]) -> PatchFailedError:
    text = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
    return PatchFailedError(f'doc is missing path: "{text}"')


def _equal(left: Any, right: Any) -> bool:
    """Equality of JSON values: unlike in Python, true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return bool(left == right)
