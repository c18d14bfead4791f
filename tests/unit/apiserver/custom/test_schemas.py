"""Structural schemas: what they refuse, drop and fill in."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from pilotfish.apiserver.custom.defaulting import fill_defaults
from pilotfish.apiserver.custom.definition_checks import validate
from pilotfish.apiserver.custom.definitions import settle
from pilotfish.apiserver.custom.pruning import prune
from pilotfish.apiserver.custom.resource import version_priority
from pilotfish.apiserver.custom.validating import validate_value
from pilotfish.objects.conditions import condition
from support.widgets import SCHEMA, definition


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        ({"type": "integer"}, "x", 'f in body must be of type integer: "string"'),
        ({"type": "integer"}, True, 'f in body must be of type integer: "boolean"'),
        ({"type": "integer"}, 2**63, 'f in body must be of type integer: "number"'),
        ({"type": "integer"}, 1e16, 'f in body must be of type integer: "number"'),
        ({"type": "string"}, None, 'f in body must be of type string: "null"'),
        ({"type": "integer", "minimum": 3}, 2, "should be greater than or equal to 3"),
        (
            {"type": "integer", "minimum": 3, "exclusiveMinimum": True},
            3,
            "should be greater than 3",
        ),
        ({"type": "integer", "maximum": 3}, 4, "should be less than or equal to 3"),
        ({"type": "number", "multipleOf": 0.5}, 0.7, "should be a multiple of 0.5"),
        ({"type": "string", "pattern": "^a+$"}, "b", "f in body should match '^a+$'"),
        ({"type": "string", "pattern": "^a+$"}, "a\n", "should match"),
        ({"type": "string", "minLength": 2}, "b", "should be at least 2 chars long"),
        ({"type": "string", "maxLength": 2}, "abc", "Too long"),
        ({"type": "string", "format": "ipv4"}, "300.1.1.1", 'must be of type ipv4: "300.1.1.1"'),
        ({"type": "string", "format": "date-time"}, "today", "must be of type date-time"),
        ({"type": "string", "enum": ["a", "b"]}, "c", 'supported values: "a", "b"'),
        ({"type": "array", "maxItems": 1}, [1, 2], "Too many: 2: must have at most 1 item"),
        ({"type": "array", "x-kubernetes-list-type": "set"}, ["a", "a"], 'Duplicate value: "a"'),
        ({"type": "object", "required": ["a"]}, {}, "Required value"),
        ({"x-kubernetes-int-or-string": True}, 1.5, "must be of type integer,string"),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 1}, "(oneOf)"),
        ({"not": {"required": ["a"]}}, {"a": 1}, "must not validate the schema (not)"),
    ],
)
def test_a_value_is_refused_in_kubernetes_words(
    schema: dict[str, Any], value: Any, words: str
) -> None:
    assert words in validate_value(value, schema, "f")[0].message


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "nullable": True}, None),
        ({"type": "integer"}, 3.0),
        ({"type": "integer"}, 2**63 - 1),
        ({"type": "integer"}, -(2**53) + 1.0),
        ({"x-kubernetes-int-or-string": True}, "80%"),
        ({"type": "string", "format": "unheard-of"}, "x"),
        ({"type": "string", "format": "cidr"}, "10.0.0.0/8"),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 1}),
    ],
)
def test_a_value_that_fits_is_taken(schema: dict[str, Any], value: Any) -> None:
    assert validate_value(value, schema, "f") == []


def test_unknown_fields_go_unless_the_schema_keeps_them() -> None:
    obj = {
        "apiVersion": "example.com/v1",
        "metadata": {"name": "a"},
        "other": 1,
        "spec": {
            "colour": "red",
            "free": {"x": {"y": 1}},
            "ports": [{"port": 1, "x": 2}],
            "template": {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "data": {}},
        },
    }
    assert prune(obj, SCHEMA) == ["other", "spec.colour", "spec.ports[0].x", "spec.template.data"]
    assert obj["spec"] == {
        "free": {"x": {"y": 1}},
        "ports": [{"port": 1}],
        "template": {"apiVersion": "v1", "kind": "Pod", "metadata": {}},
    }


KEEPS = {"x-kubernetes-preserve-unknown-fields": True}
INNER = {"type": "object", "properties": {"a": {"type": "string"}}}


@pytest.mark.parametrize(
    ("field", "value", "left"),
    [
        ({"type": "object", "additionalProperties": True}, {"k": {"x": 1}}, {"k": {}}),
        ({"type": "string"}, {"x": 1}, {}),
        ({"type": "array"}, [{"x": 1}, 2], [{}, 2]),
        ({"type": "array", "items": INNER}, [{"x": 1, "a": "b"}], [{"a": "b"}]),
        ({"type": "array", "items": INNER, **KEEPS}, [{"x": 1}], [{"x": 1}]),
        ({**INNER, **KEEPS}, {"x": {"y": 1}}, {"x": {"y": 1}}),
        (
            {"type": "object", "properties": {"in": INNER}, **KEEPS},
            {"in": {"x": 1}, "x": 2},
            {"in": {}, "x": 2},
        ),
    ],
)
def test_pruning_goes_as_deep_as_a_schema_speaks(field: Any, value: Any, left: Any) -> None:
    obj = {"f": value}
    prune(obj, {"type": "object", "properties": {"f": field}})
    assert obj == {"f": left}


def test_pruning_goes_through_lists_of_any_depth() -> None:
    deep: Any = [{"x": 1}]
    for _ in range(3000):
        deep = [deep]
    dropped = prune({"f": deep}, {"type": "object", "properties": {"f": {"type": "string"}}})
    assert len(dropped) == 1 and dropped[0].endswith("[0].x")


def test_defaults_fill_what_is_left_out_or_null_and_nothing_else() -> None:
    child = {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}
    schema = {"properties": {"made": {**child, "default": {}}, "left": child, "n": {"type": "x"}}}
    obj: dict[str, Any] = {"made": None, "n": None}
    fill_defaults(obj, schema)
    assert obj == {"made": {"a": 1}}
    again = deepcopy(obj)
    fill_defaults(again, schema)
    assert again == obj


def test_versions_are_ordered_as_the_documentation_orders_them() -> None:
    wanted = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "foo1", "foo10"]
    assert sorted(set(wanted), key=version_priority) == wanted


def causes_of(changes: dict[str, Any]) -> list[str]:
    crd = definition()
    crd["spec"]["names"] |= {"singular": "widget", "listKind": "WidgetList"}
    crd["spec"]["conversion"] = {"strategy": "None"}
    crd["spec"] |= changes
    return [str(cause) for cause in validate(crd)]


def test_a_good_definition_is_taken_and_bad_ones_are_told_what_is_wrong() -> None:
    assert causes_of({}) == []
    assert "metadata.name" in causes_of({"group": "example.org"})[0]
    assert "spec.scope: Unsupported value" in causes_of({"scope": "World"})[0]
    assert "spec.conversion.strategy" in causes_of({"conversion": {"strategy": "Webhook"}})[0]
    untyped = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {}}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": untyped}
    assert causes_of({"versions": [version]}) == [
        "spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not "
        "be empty for specified object fields"
    ]


def test_a_name_that_is_taken_keeps_a_definition_from_being_established() -> None:
    first, second = definition(), definition("gadgets", "Gadget")
    settle(first, [])
    settle(second, [first])
    accepted, established = condition(second, "NamesAccepted"), condition(second, "Established")
    assert accepted is not None and established is not None
    assert (accepted["status"], accepted["reason"]) == ("False", "ShortNamesConflict")
    assert established["status"] == "False"
    settle(second, [])
    established = condition(second, "Established")
    assert established is not None and established["status"] == "True"


def test_an_update_is_not_held_to_faults_that_were_there_before() -> None:
    """Where old and new can be told to be the same: fields, and items with keys."""
    keyed = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        "items": {"type": "object", "properties": {"k": {"type": "string"}, "n": {"maximum": 3}}},
    }
    schema = {"type": "object", "properties": {"a": {"maxLength": 1}, "list": keyed}}
    old = {"a": "too long", "list": [{"k": "x", "n": 9}]}
    kept = {"a": "too long", "list": [{"k": "y", "n": 1}, {"k": "x", "n": 9}]}
    assert not validate_value(kept, schema, old=old)
    changed = {"a": "longer still", "list": [{"k": "x", "n": 8}]}
    assert [cause.field for cause in validate_value(changed, schema, old=old)] == [
        "a",
        "list[0].n",
    ]
