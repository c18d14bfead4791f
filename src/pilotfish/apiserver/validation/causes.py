"""Causes: what is wrong with a field of an object, in the words kube-apiserver uses.

A refused write answers with a `Status` whose `details.causes` are these triples, and whose
message joins them (`field: message`). The words follow apimachinery's `field.Error`, because
people search for them and tools match them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

IMMUTABLE = "field is immutable"


@dataclass(frozen=True, slots=True)
class Cause:
    """One refused field: its path, the machine's word for why, and the human's."""

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def required(field: str, detail: str = "") -> Cause:
    return Cause(field, "FieldValueRequired", _with_detail("Required value", detail))


def invalid(field: str, value: Any, detail: str) -> Cause:
    body = f"Invalid value: {_shown(value)}"
    return Cause(field, "FieldValueInvalid", _with_detail(body, detail))


def immutable(field: str, value: Any) -> Cause:
    return invalid(field, value, IMMUTABLE)


def not_supported(field: str, value: Any, supported: Iterable[str]) -> Cause:
    body = f"Unsupported value: {_shown(value)}"
    choices = ", ".join(_shown(choice) for choice in supported)
    return Cause(field, "FieldValueNotSupported", f"{body}: supported values: {choices}")


def duplicate(field: str, value: Any) -> Cause:
    return Cause(field, "FieldValueDuplicate", f"Duplicate value: {_shown(value)}")


def not_found(field: str, value: Any) -> Cause:
    return Cause(field, "FieldValueNotFound", f"Not found: {_shown(value)}")


def forbidden(field: str, detail: str) -> Cause:
    return Cause(field, "FieldValueForbidden", _with_detail("Forbidden", detail))


def too_long(field: str, most_bytes: int) -> Cause:
    detail = f"may not be more than {most_bytes} bytes"
    return Cause(field, "FieldValueTooLong", f"Too long: {detail}")


def too_many(field: str, actual: int, most: int) -> Cause:
    items = "item" if most == 1 else "items"
    return Cause(
        field, "FieldValueTooMany", f"Too many: {actual}: must have at most {most} {items}"
    )


def internal(field: str, detail: str) -> Cause:
    return Cause(field, "InternalError", f"Internal error: {detail}")


def _with_detail(body: str, detail: str) -> str:
    return f"{body}: {detail}" if detail else body


def _shown(value: Any) -> str:
    """The value as Go prints it: strings quoted, numbers and truth bare, the rest as JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)
