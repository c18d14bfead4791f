"""Pruning of custom resources: what a schema keeps, and what it drops."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.apiserver.custom.pruning import prune

_KEEP = {"x-kubernetes-preserve-unknown-fields": True}
_A: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "object"}}}


@pytest.mark.parametrize(
    ("field", "value", "left", "dropped"),
    [
        ({**_A}, {"a": {}, "b": 1}, {"a": {}}, ["f.b"]),
        ({**_A, **_KEEP}, {"a": {"x": 1}, "b": 1}, {"a": {}, "b": 1}, ["f.a.x"]),
        ({"type": "array", "items": _A}, [{"b": 1}, 2], [{}, 2], ["f[0].b"]),
        ({"type": "array", "items": _A, **_KEEP}, [{"b": 1}], [{"b": 1}], []),
        (
            {"type": "array", "items": _A, **_KEEP},
            [{"a": {"x": 1}, "b": {"x": 1}}],
            [{"a": {}, "b": {"x": 1}}],
            ["f[0].a.x"],
        ),
        (
            {"type": "array", "items": {"type": "array", "items": _A}, **_KEEP},
            [[{"b": 1}]],
            [[{"b": 1}]],
            [],
        ),
        (dict(_KEEP), [{"b": [{"c": 1}]}], [{"b": [{"c": 1}]}], []),
        (
            {"type": "object", "additionalProperties": _A},
            {"k": {"a": {}, "b": 1}},
            {"k": {"a": {}}},
            ["f.k.b"],
        ),
        (
            {"type": "object", "additionalProperties": True},
            {"k": 1, "l": {"a": 1}, "m": [{"a": 1}]},
            {"k": 1, "l": {}, "m": [{}]},
            ["f.l.a", "f.m[0].a"],
        ),
        (
            {**_A, "x-kubernetes-embedded-resource": True},
            {"kind": "K", "metadata": {"x": 1}, "b": 1},
            {"kind": "K", "metadata": {"x": 1}},
            ["f.b"],
        ),
    ],
)
def test_a_field_keeps_what_its_schema_names(
    field: dict[str, Any], value: Any, left: Any, dropped: list[str]
) -> None:
    held = {"kind": "K", "metadata": {"x": 1}, "f": value}
    assert prune(held, {"type": "object", "properties": {"f": field}}) == dropped
    assert held == {"kind": "K", "metadata": {"x": 1}, "f": left}


def test_dropped_paths_are_sorted() -> None:
    assert prune({"z": 1, "b": {"y": 1}, "a": 1}, {"properties": {"b": {}}}) == ["a", "b.y", "z"]
