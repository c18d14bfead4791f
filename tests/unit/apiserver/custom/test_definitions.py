"""CustomResourceDefinitions: what is accepted, and each kind of fault that is refused.

The right values are those of `pkg/apis/apiextensions/validation` and `pkg/apiserver/schema` of
Kubernetes' apiextensions-apiserver.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from pilotfish.apiserver.custom.definition_checks import (
    validate,
    validate_approval,
    validate_update,
)
from pilotfish.apiserver.custom.definitions import settle
from support.widgets import definition

STRING = {"type": "string"}
OBJECT = {"type": "object"}
KEYED = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["k"],
    "items": {"type": "object", "required": ["k"], "properties": {"k": STRING}},
}


def with_schema(schema: dict[str, Any], /, **version: Any) -> dict[str, Any]:
    made = definition()
    made["spec"]["names"] |= {"singular": "widget", "listKind": "WidgetList"}
    made["spec"]["conversion"] = {"strategy": "None"}
    only = {"name": "v1", "served": True, "storage": True}
    made["spec"]["versions"] = [only | {"schema": {"openAPIV3Schema": schema}} | version]
    return made


def of(spec: dict[str, Any], **root: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"spec": spec}, **root}


def causes(crd: dict[str, Any]) -> list[str]:
    return [str(cause) for cause in validate(crd)]


@pytest.mark.parametrize(
    "schema",
    [
        of({"type": "object", "properties": {"a": STRING}, "additionalProperties": True}),
        of({**OBJECT, "additionalProperties": STRING}),
        of({**OBJECT, "properties": {"a": {"type": "string", "pattern": r"^\pL(?i)x$"}}}),
        of({"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, STRING]}),
        of(
            {
                "x-kubernetes-int-or-string": True,
                "allOf": [{"anyOf": [{"type": "integer"}, STRING]}, {"pattern": "^a"}],
            }
        ),
        of({"type": "array", "items": OBJECT, "anyOf": [{"items": {"maxProperties": 1}}]}),
        of({"x-kubernetes-preserve-unknown-fields": True}),
        of({**OBJECT, "x-kubernetes-embedded-resource": True, "properties": {"spec": OBJECT}}),
        of(OBJECT, properties={"metadata": {**OBJECT, "properties": {"name": {"maxLength": 9}}}}),
        of({**OBJECT, "properties": {"a": STRING}, "oneOf": [{"required": ["b"]}]}),
        of({**OBJECT, "properties": {"a": STRING}, "default": {"a": "x"}}),
        # Kubernetes holds the conditions of the root alone against the shape.
        of({**OBJECT, "allOf": [{"anyOf": [{"properties": {"b": {"minLength": 1}}}]}]}),
        of({**OBJECT, "not": {"items": {"minLength": 1}}}),
        of({**KEYED, "items": {**OBJECT, "properties": {"k": {**STRING, "default": "x"}}}}),
    ],
)
def test_a_schema_is_taken(schema: dict[str, Any]) -> None:
    for child in schema["properties"].get("metadata", {}).get("properties", {}).values():
        child.setdefault("type", "string")
    assert causes(with_schema(schema)) == []


@pytest.mark.parametrize(
    ("spec", "below", "words"),
    [
        ({}, ".type", "Required value: must not be empty for specified object fields"),
        ({"type": "text"}, ".type", 'Unsupported value: "text": supported values: "array", '),
        ({"type": "null"}, ".type", "use nullable as an alternative"),
        ({"type": "array"}, ".items", "Required value: must be specified"),
        ({"type": "array", "items": {}}, ".items.type", "for specified array items"),
        ({**OBJECT, "$ref": "#/a"}, ".$ref", "Forbidden: $ref is not supported"),
        ({**OBJECT, "patternProperties": {"a": STRING}}, ".patternProperties", "not supported"),
        (
            {**OBJECT, "definitions": {"a": STRING}},
            ".definitions",
            "Forbidden: definitions is not supported",
        ),
        ({**KEYED, "uniqueItems": True}, ".uniqueItems", "cannot be set to true"),
        ({**STRING, "pattern": "(?=a)"}, ".pattern", "must be a valid regular expression"),
        ({**STRING, "anyOf": [{"pattern": "a(?!b)"}]}, ".anyOf[0].pattern", "must be a valid"),
        (
            {**OBJECT, "properties": {"a": STRING}, "additionalProperties": STRING},
            ".additionalProperties",
            "Forbidden: additionalProperties and properties are mutual exclusive",
        ),
        (
            {**OBJECT, "x-kubernetes-preserve-unknown-fields": False},
            ".x-kubernetes-preserve-unknown-fields",
            "Invalid value: false: must be true or undefined",
        ),
        # Conditions
        ({**OBJECT, "anyOf": [{"type": "object"}]}, ".anyOf[0].type", "must be empty to be struct"),
        ({**OBJECT, "not": {"description": "x"}}, ".not.description", "must be empty to be struct"),
        ({**OBJECT, "not": {"default": False}}, ".not.default", "must be undefined to be struct"),
        (
            {**OBJECT, "oneOf": [{"additionalProperties": True}]},
            ".oneOf[0].additionalProperties",
            "must be undefined to be structural",
        ),
        (
            {**OBJECT, "not": {"properties": {"metadata": {"minProperties": 1}}}},
            ".not.properties[metadata]",
            "must not be specified in a nested context",
        ),
        (
            {**OBJECT, "not": {"x-kubernetes-validations": [{"rule": "true"}]}},
            ".not.x-kubernetes-validations",
            "must be empty to be structural",
        ),
        # Lists and maps
        (
            {**OBJECT, "x-kubernetes-list-type": "set"},
            ".type",
            'Invalid value: "object": must be array if x-kubernetes-list-type is specified',
        ),
        (
            {**STRING, "x-kubernetes-map-type": "atomic"},
            ".type",
            "must be object if x-kubernetes-map-type is specified",
        ),
        ({**OBJECT, "x-kubernetes-map-type": "loose"}, ".x-kubernetes-map-type", "Unsupported"),
        ({**KEYED, "x-kubernetes-list-type": "bag"}, ".x-kubernetes-list-type", "Unsupported"),
        (
            {**KEYED, "x-kubernetes-list-map-keys": []},
            ".x-kubernetes-list-map-keys",
            "Required value: must not be empty if x-kubernetes-list-type is map",
        ),
        (
            {**KEYED, "x-kubernetes-list-map-keys": ["k", "k"]},
            ".x-kubernetes-list-map-keys",
            "must not contain duplicate entries",
        ),
        (
            {**KEYED, "x-kubernetes-list-map-keys": ["j"]},
            ".x-kubernetes-list-map-keys",
            "entries must all be names of item properties",
        ),
        (
            {**KEYED, "x-kubernetes-list-type": "set", "items": STRING},
            ".x-kubernetes-list-type",
            'Invalid value: "set": must be map if x-kubernetes-list-map-keys is non-empty',
        ),
        (
            {**KEYED, "items": STRING},
            ".items.type",
            "must be object if parent array's x-kubernetes-list-type is map",
        ),
        (
            {**KEYED, "items": {**OBJECT, "properties": {"k": STRING}}},
            ".items.properties[k].default",
            "so it must have a default or be a required property",
        ),
        (
            {**KEYED, "items": {**OBJECT, "required": ["k"], "properties": {"k": OBJECT}}},
            ".items.properties[k].type",
            "must be a scalar type",
        ),
        (
            {
                **KEYED,
                "items": {
                    **OBJECT,
                    "required": ["k"],
                    "properties": {"k": {**STRING, "nullable": True}},
                },
            },
            ".items.properties[k].nullable",
            "so it cannot be nullable",
        ),
        (
            {"type": "array", "x-kubernetes-list-type": "set", "items": OBJECT},
            ".items.x-kubernetes-map-type",
            "must be atomic as item of a list with x-kubernetes-list-type=set",
        ),
        (
            {
                "type": "array",
                "x-kubernetes-list-type": "set",
                "items": {**STRING, "nullable": True},
            },
            ".items.nullable",
            "cannot be nullable when x-kubernetes-list-type is set",
        ),
        # Embedded objects
        (
            {**OBJECT, "x-kubernetes-embedded-resource": True},
            ".properties",
            "must not be empty if x-kubernetes-embedded-resource is true without",
        ),
        (
            {
                "x-kubernetes-embedded-resource": True,
                "x-kubernetes-preserve-unknown-fields": True,
            },
            ".type",
            "must be object if x-kubernetes-embedded-resource is true",
        ),
        (
            {
                "x-kubernetes-int-or-string": True,
                "x-kubernetes-preserve-unknown-fields": True,
            },
            ".x-kubernetes-preserve-unknown-fields",
            "must be false if x-kubernetes-int-or-string is true",
        ),
        # Defaults
        (
            {**OBJECT, "properties": {"a": STRING}, "default": {"b": 1}},
            ".default",
            "must not have unknown fields",
        ),
        ({"type": "integer", "default": "x"}, ".default", "must be of type integer"),
    ],
)
def test_a_schema_is_refused(spec: dict[str, Any], below: str, words: str) -> None:
    path = "spec.validation.openAPIV3Schema.properties[spec]"
    found = causes(with_schema(of(spec)))
    assert any(each.startswith(f"{path}{below}: ") and words in each for each in found), found


@pytest.mark.parametrize(
    ("schema", "below", "words"),
    [
        ({}, ".type", "Required value: must not be empty at the root"),
        ({"type": "string"}, ".type", "must be object at the root"),
        ({**OBJECT, "nullable": True}, ".nullable", "nullable cannot be true at the root"),
        ({**OBJECT, "additionalProperties": STRING}, ".additionalProperties", "not be used at the"),
        (
            {**OBJECT, "properties": {"kind": OBJECT}},
            ".properties[kind].type",
            "must be string",
        ),
        ({**OBJECT, "properties": {"metadata": STRING}}, ".properties[metadata].type", "object"),
        (
            {**OBJECT, "properties": {"metadata": {**OBJECT, "properties": {"labels": OBJECT}}}},
            ".properties[metadata]",
            "must not specify anything other than name and generateName",
        ),
        (
            {**of(OBJECT), "allOf": [{"anyOf": [{"properties": {"b": {"minLength": 1}}}]}]},
            ".properties[b]",
            "because it is defined in ROOT.allOf[0].anyOf[0].properties[b]",
        ),
        (
            {**OBJECT, "not": {"items": {"minLength": 1}}},
            ".items",
            "Required value: because it is defined in ROOT.not.items",
        ),
        (
            {**OBJECT, "properties": {"apiVersion": {**STRING, "default": "x/v1"}}},
            ".properties[apiVersion].default",
            "must not be set in top-level apiVersion",
        ),
    ],
)
def test_a_schema_is_refused_at_its_root(schema: dict[str, Any], below: str, words: str) -> None:
    found = causes(with_schema(schema))
    root = "spec.validation.openAPIV3Schema"
    wanted = words.replace("ROOT", root)
    assert any(each.startswith(f"{root}{below}: ") and wanted in each for each in found), found


def test_a_root_whose_status_is_a_subresource_has_fewer_words() -> None:
    schema = {**of(OBJECT), "anyOf": [{"required": ["spec"]}]}
    assert causes(with_schema(schema)) == []
    (found,) = causes(with_schema(schema, subresources={"status": {}}))
    assert "fields are allowed at the root of the schema if the status subresource" in found


@pytest.mark.parametrize(
    ("part", "start", "words"),
    [
        ({"name": "1v"}, "spec.versions[0].name", "a DNS-1035 label must"),
        ({"storage": False}, "spec.versions", "exactly one version marked as storage"),
        ({"schema": {}}, "spec.versions[0].schema.openAPIV3Schema", "Required value"),
        (
            {"deprecationWarning": "old"},
            "spec.versions[0].deprecationWarning",
            "can only be set for deprecated versions",
        ),
        (
            {"deprecated": True, "deprecationWarning": "a\nb"},
            "spec.versions[0].deprecationWarning",
            "non-printable character found at index 1",
        ),
        (
            {"subresources": {"scale": {"specReplicasPath": ".spec.n"}}},
            "spec.subresources.scale.statusReplicasPath",
            "Required value",
        ),
        (
            {
                "subresources": {
                    "scale": {"specReplicasPath": ".status.n", "statusReplicasPath": ".status.n"}
                }
            },
            "spec.subresources.scale.specReplicasPath",
            "should be a json path under .spec",
        ),
        (
            {"additionalPrinterColumns": [{"name": "A", "type": "text", "jsonPath": ".a"}]},
            "spec.additionalPrinterColumns[0].type",
            'Invalid value: "text": must be one of boolean,date,integer,number,string',
        ),
        (
            {"additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": "a"}]},
            "spec.additionalPrinterColumns[0].JSONPath",
            "must be a simple json path starting with .",
        ),
        (
            {"selectableFields": [{"jsonPath": ".spec"}]},
            "spec.selectableFields[0].jsonPath",
            "must point to a field of type string, boolean or integer",
        ),
        (
            {"selectableFields": [{"jsonPath": ".spec.b"}]},
            "spec.selectableFields[0].jsonPath",
            "is an invalid path: does not refer to a valid field",
        ),
        (
            {"selectableFields": [{"jsonPath": ".spec['a']"}]},
            "spec.selectableFields[0].jsonPath",
            "array notation is not allowed",
        ),
        (
            {"selectableFields": [{"jsonPath": ".spec.a"}] * 2},
            "spec.selectableFields[1].jsonPath",
            "Duplicate value",
        ),
    ],
)
def test_a_version_is_refused(part: dict[str, Any], start: str, words: str) -> None:
    crd = with_schema(of({**OBJECT, "properties": {"a": STRING}}), **part)
    found = causes(crd)
    assert any(each.startswith(f"{start}: ") and words in each for each in found), found


@pytest.mark.parametrize("path", [".a[", ".a[]", ".a[0:1]", ".a..b", '.a[?(@.b>"c")]', ".", ".a-b"])
def test_a_column_needs_no_path_that_can_be_read(path: str) -> None:
    columns = [{"name": "A", "type": "string", "jsonPath": path}]
    assert causes(with_schema(of(OBJECT), additionalPrinterColumns=columns)) == []


def test_what_differs_from_version_to_version_is_named_by_its_version() -> None:
    crd = with_schema(of({}))
    crd["spec"]["versions"].append({**crd["spec"]["versions"][0], "name": "v2", "storage": False})
    (found,) = causes(crd)
    assert found.startswith("spec.validation.openAPIV3Schema.properties[spec].type")
    crd["spec"]["versions"][0] = {
        **crd["spec"]["versions"][0],
        "schema": {"openAPIV3Schema": of(OBJECT)},
    }
    (found,) = causes(crd)
    assert found.startswith("spec.versions[1].schema.openAPIV3Schema.properties[spec].type")


def test_a_schema_has_a_hundred_levels_at_most() -> None:
    def nested(levels: int) -> dict[str, Any]:
        schema: dict[str, Any] = dict(OBJECT)
        for _ in range(levels):
            schema = {**OBJECT, "properties": {"a": schema}}
        return schema

    assert causes(with_schema(nested(99))) == []
    for levels in (100, 2000):
        (found,) = causes(with_schema(nested(levels)))
        assert found.endswith("must not have more than 100 levels")


def test_groups_of_kubernetes_say_who_approved_them() -> None:
    crd = with_schema(of(OBJECT))
    assert validate_approval(crd) == []
    crd["spec"]["group"] = "x.k8s.io"
    (missing,) = validate_approval(crd)
    assert "protected groups must have approval annotation" in missing.message
    assert validate_approval(crd, deepcopy(crd)) == []
    for approval, count in (
        ("no", 1),
        ("//a/1", 1),
        ("https://a b/1", 1),
        ("unapproved, experimental-only", 0),
        ("https://a/1", 0),
    ):
        crd["metadata"]["annotations"] = {"api-approved.kubernetes.io": approval}
        assert len(validate_approval(crd)) == count


def test_what_is_stored_under_a_definition_stays_as_it_is() -> None:
    old = with_schema(of(OBJECT))
    new = deepcopy(old)
    new["spec"]["scope"] = "Cluster"
    assert validate_update(new, old) == []
    settle(old, [])
    assert [cause.field for cause in validate_update(new, old)] == ["spec.scope"]
    new = deepcopy(old)
    new["spec"]["names"]["kind"] = "Gadget"
    assert [cause.field for cause in validate_update(new, old)] == ["spec.names.kind"]
    new = deepcopy(old)
    new["spec"]["names"]["shortNames"] = ["x"]
    assert validate_update(new, old) == []
