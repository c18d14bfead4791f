"""Embedded resources: what of them is decoded, dropped and refused."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.apiserver.custom.embedded_checks import validate_embedded
from pilotfish.apiserver.custom.resource import CustomResource, resources_of
from pilotfish.apiserver.decoding import decode_object
from pilotfish.apiserver.errors import StatusError
from pilotfish.objects.meta import Object
from support.widgets import SCHEMA, definition, widget


def widgets() -> CustomResource:
    return resources_of(definition())[0]


def with_template(**fields: Any) -> Object:
    return widget("a", template={"apiVersion": "v1", "kind": "Pod", **fields})


def test_unknown_metadata_of_embedded_resources_is_dropped() -> None:
    obj = with_template(metadata={"name": "p", "colour": "red", "creationTimestamp": None})
    assert decode_object(widgets(), obj) == ['unknown field "spec.template.metadata.colour"']
    assert obj["spec"]["template"]["metadata"] == {"name": "p"}


@pytest.mark.parametrize(("given", "found"), [(None, {}), ({}, {})])
def test_null_is_empty_metadata(given: Any, found: Object) -> None:
    obj = with_template(metadata=given)
    assert decode_object(widgets(), obj) == []
    assert obj["spec"]["template"]["metadata"] == found


def test_metadata_that_is_no_object_is_refused() -> None:
    with pytest.raises(StatusError, match=r"into Go value of type v1.ObjectMeta"):
        decode_object(widgets(), with_template(metadata=[1]))


def test_metadata_of_a_wrong_type_is_refused_with_its_path() -> None:
    with pytest.raises(StatusError) as refused:
        decode_object(widgets(), with_template(metadata={"labels": {"a": 1}}))
    assert refused.value.code == 400
    assert "spec.template.metadata: Invalid value" in refused.value.message
    assert "cannot unmarshal number into Go struct field ObjectMeta.labels" in refused.value.message


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"kind": None}, "kind", "must be a string"),
        ({"kind": ""}, "kind", "must not be empty"),
        ({"kind": "a b"}, "kind", "may have mixed case, but should otherwise match"),
        ({"apiVersion": "a/b/c"}, "apiVersion", "unexpected GroupVersion string: a/b/c"),
        ({"metadata": {"name": "a/b"}}, "metadata.name", "may not contain '/'"),
        ({"metadata": {"namespace": "A"}}, "metadata.namespace", "RFC 1123 label"),
        ({"metadata": {"labels": {"a b": "c"}}}, "metadata.labels", "name part must consist of"),
        ({"metadata": {"finalizers": ["a b"]}}, "metadata.finalizers[0]", "name part"),
        ({"metadata": {"labels": {"a": 1}}}, "metadata", "must be the metadata of an object"),
        ({"metadata": 1}, "metadata", "must be the metadata of an object"),
    ],
)
def test_an_embedded_resource_is_held_to_what_every_object_is(
    fields: Object, field: str, words: str
) -> None:
    cause = validate_embedded(with_template(**fields), SCHEMA)[0]
    assert cause.field == f"spec.template.{field}"
    assert words in cause.message


def test_an_embedded_resource_needs_its_type_and_no_metadata() -> None:
    obj = widget("a", template={})
    assert [str(each) for each in validate_embedded(obj, SCHEMA)] == [
        "spec.template.apiVersion: Required value",
        "spec.template.kind: Required value",
    ]
    good = with_template(metadata={"name": "a.b_C", "finalizers": ["plain"]})
    assert validate_embedded(good, SCHEMA) == []
