"""Schemas of custom resources in OpenAPI documents: what v2 and v3 say of each kind of value."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.apiserver.custom.publishing import published
from pilotfish.apiserver.custom.resource import resources_of
from pilotfish.objects.meta import Object
from support.widgets import definition

_ANYTHING = "x-kubernetes-preserve-unknown-fields"
_EITHER = "x-kubernetes-int-or-string"


def document(schema: Object, version: int, **of_version: Any) -> Object:
    crd = definition()
    crd["spec"]["versions"][1] |= {"schema": {"openAPIV3Schema": schema}, **of_version}
    resource = resources_of(crd)[0]
    return published([resource], version, "#/definitions/")["com.example.v1.Widget"]


def shown(field: Object, version: int) -> Object:
    schema = {"type": "object", "properties": {"f": field}}
    found: Object = document(schema, version)["properties"]["f"]
    return found


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        # kubectl refuses the whole document for an array without items.
        ({"type": "array", "items": TEXT, _ANYTHING: True}, {_ANYTHING: True}),
        ({"type": "object", "properties": {"a": TEXT}, _ANYTHING: True}, {_ANYTHING: True}),
        ({_ANYTHING: True, "description": "words"}, {_ANYTHING: True, "description": "words"}),
        ({"type": "object", "properties": {"a": TEXT}, "nullable": True}, {}),
        ({"type": "array", "items": TEXT, "nullable": True}, {}),
        ({"type": "string", "nullable": True, "description": "d"}, {"description": "d"}),
        (
            {
                _EITHER: True,
                "anyOf": [{"type": "integer"}, TEXT],
                "description": "d",
                "pattern": "x",
            },
            {_EITHER: True, "description": "d", "pattern": "x"},
        ),
        (
            {
                "type": "object",
                "required": ["a", "b"],
                "properties": {"a": {"type": "string", "nullable": True}, "b": TEXT},
            },
            {"type": "object", "required": ["b"], "properties": {"a": {}, "b": TEXT}},
        ),
        (
            {
                "type": "object",
                "required": ["a"],
                "additionalProperties": {"type": "string", "nullable": True},
            },
            {"type": "object", "additionalProperties": {}},
        ),
        (
            {"type": "object", "additionalProperties": True},
            {"type": "object", "additionalProperties": True},
        ),
        (
            {"type": "integer", "minimum": 0, "default": 0, "oneOf": [{"minimum": 1}]},
            {"type": "integer", "minimum": 0, "default": 0},
        ),
        (
            {"type": "object", "properties": {}, "default": {}, "required": []},
            {"type": "object", "default": {}},
        ),
        (
            {"type": "object", "x-kubernetes-embedded-resource": True, _ANYTHING: True},
            {"x-kubernetes-embedded-resource": True, _ANYTHING: True},
        ),
    ],
)
def test_v2_leaves_out_what_kubectl_cannot_read(field: Object, wanted: Object) -> None:
    assert shown(field, 2) == wanted


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        (
            {"type": "array", "items": TEXT, _ANYTHING: True},
            {"type": "array", "items": TEXT, _ANYTHING: True},
        ),
        ({"type": "string", "nullable": True}, {"type": "string", "nullable": True}),
        ({_EITHER: True}, {_EITHER: True, "anyOf": [{"type": "integer"}, TEXT]}),
        (
            {_EITHER: True, "anyOf": [{"type": "integer"}, TEXT]},
            {_EITHER: True, "anyOf": [{"type": "integer"}, TEXT]},
        ),
        (
            {_EITHER: True, "anyOf": [{"minimum": 1}]},
            {
                _EITHER: True,
                "anyOf": [{"minimum": 1}],
                "allOf": [{"anyOf": [{"type": "integer"}, TEXT]}],
            },
        ),
    ],
)
def test_v3_says_all_that_the_schema_says(field: Object, wanted: Object) -> None:
    assert shown(field, 3) == wanted


def test_a_root_that_keeps_everything_names_no_properties_in_v2() -> None:
    schema = {"type": "object", "properties": {"f": TEXT}, _ANYTHING: True}
    found = document(schema, 2, selectableFields=[])
    gvk = [{"group": "example.com", "version": "v1", "kind": "Widget"}]
    assert found == {"type": "object", "x-kubernetes-group-version-kind": gvk}
    assert set(document(schema, 3)["properties"]) == {"apiVersion", "f", "kind", "metadata"}


@pytest.mark.parametrize("version", [2, 3])
def test_embedded_resources_show_what_every_object_has(version: int) -> None:
    field = {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "required": ["spec"],
        "properties": {"spec": {"type": "object", "properties": {"f": TEXT}}},
    }
    found = shown(field, version)
    assert set(found["properties"]) == {"apiVersion", "kind", "metadata", "spec"}
    assert found["required"] == ["spec", "kind", "apiVersion"]


def test_selectable_fields_are_told() -> None:
    fields = [{"jsonPath": ".spec.color"}]
    found = document({"type": "object"}, 3, selectableFields=fields)
    assert found["x-kubernetes-selectable-fields"] == [{"fieldPath": "spec.color"}]
