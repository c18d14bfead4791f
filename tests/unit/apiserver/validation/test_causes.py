"""The words of refusals are those of kube-apiserver."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.apiserver.validation import causes


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", '"a"'),
        ('say "hi"', '"say \\"hi\\""'),
        (7, "7"),
        (True, "true"),
        (None, "null"),
        ({"a": ["b"]}, '{"a":["b"]}'),
    ],
)
def test_values_are_shown_as_go_shows_them(value: Any, shown: str) -> None:
    assert causes.invalid("f", value, "why").message == f"Invalid value: {shown}: why"


def test_each_reason_has_its_words() -> None:
    assert [
        (cause.reason, str(cause))
        for cause in (
            causes.required("f"),
            causes.required("f", "say it"),
            causes.not_supported("f", "x", ("A", "B")),
            causes.duplicate("f", "x"),
            causes.not_found("f", "x"),
            causes.forbidden("f", "no"),
            causes.too_long("f", 63),
            causes.too_many("f", 3, 1),
            causes.immutable("f", 1),
        )
    ] == [
        ("FieldValueRequired", "f: Required value"),
        ("FieldValueRequired", "f: Required value: say it"),
        ("FieldValueNotSupported", 'f: Unsupported value: "x": supported values: "A", "B"'),
        ("FieldValueDuplicate", 'f: Duplicate value: "x"'),
        ("FieldValueNotFound", 'f: Not found: "x"'),
        ("FieldValueForbidden", "f: Forbidden: no"),
        ("FieldValueTooLong", "f: Too long: may not be more than 63 bytes"),
        ("FieldValueTooMany", "f: Too many: 3: must have at most 1 item"),
        ("FieldValueInvalid", "f: Invalid value: 1: field is immutable"),
    ]
