"""Values of a wrong type, in the words of Kubernetes' decoders."""

from __future__ import annotations

from typing import Any, Final

from pilotfish.apiserver.codec import json_type
from pilotfish.apiserver.errors import StatusError, bad_request
from pilotfish.objects.schema import Field, Type

# What Go calls the values of JSON, where it has not read them into a type.
_GO_KINDS: Final[dict[type, str]] = {
    str: "string",
    int: "int64",
    float: "float64",
    bool: "bool",
    list: "slice",
    dict: "map",
    type(None): "nil",
}


class WrongTypeError(Exception):
    """A value that the field's type cannot hold; the text is Go's.

    Attributes:
        restoring: what Kubernetes' other decoder says, which reads what a strategic merge patch
            makes; "" for the same.
    """

    def __init__(self, why: str, restoring: str = "") -> None:
        super().__init__(why)
        self.restoring = restoring


class DecodingError(StatusError):
    """400: an object with a value of a wrong type. A patch that makes one is 422."""

    def __init__(self, kind: str, version: str, error: WrongTypeError) -> None:
        refused = cannot_be_handled(kind, version, kind, str(error))
        super().__init__(refused.code, refused.reason, refused.message)
        self.why = str(error)
        self.restoring = error.restoring


def cannot_be_handled(kind: str, version: str, wanted: str, why: str) -> StatusError:
    """400 in the words of kube-apiserver's request decoder.

    Args:
        kind: of the body.
        version: of the body, without its group.
        wanted: the kind that is expected.
    """
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {wanted}: {why}')


def demand(holds: bool, value: Any, schema: Type, go_path: str, go_type: str) -> None:
    """Check that a value is of a type.

    Raises:
        WrongTypeError: when it is not.
    """
    if not holds:
        raise wrong(value, schema, go_path, go_type)


def wrong(value: Any, schema: Type, go_path: str, go_type: str) -> WrongTypeError:
    """The error for a value in a field of another Go type."""
    return WrongTypeError(
        f"json: cannot unmarshal {json_type(value)} into Go struct field "
        f"{struct_field(schema, go_path)} of type {go_type}",
        _restoring(value, go_type),
    )


def _restoring(value: Any, go_type: str) -> str:
    """What apimachinery's FromUnstructured says of a value that it cannot turn into a type."""
    found = _GO_KINDS[type(value)]
    if go_type.startswith("[]"):
        return f"cannot restore slice from {found}"
    if go_type.startswith("map["):
        return f"cannot restore map from {found}"
    if "." in go_type:
        return f"cannot restore struct from: {found}"
    return f"cannot convert {found} to {go_type}"


def struct_field(schema: Type, go_path: str) -> str:
    """A field as Go's decoder names it: `ServiceSpec.ports.port`."""
    return f"{schema.name.rpartition('.')[2]}.{go_path}"


def go_name(item: Field | None) -> str:
    """How Go names the type of the elements of a list, or of the values of a map."""
    if item is None:
        return "interface {}"
    if item.type == "object":
        return f"v1.{item.ref.split('.')[-1]}"
    return {"boolean": "bool", "bytes": "[]uint8"}.get(item.type, item.type)
