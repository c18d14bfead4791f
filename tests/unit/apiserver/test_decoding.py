"""Decoding: what becomes of a manifest's values on their way into a kind."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.apiserver.decoding import decode_object
from pilotfish.apiserver.errors import StatusError
from pilotfish.objects.resources import resource


def decode(resource_name: str, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    kind = resource(resource_name)
    obj = {"apiVersion": kind.api_version, "kind": kind.kind, **fields}
    return obj, decode_object(kind, obj)


def test_unknown_fields_are_dropped_and_told_with_their_paths() -> None:
    obj, problems = decode("services", spec={"ports": [{"port": 80, "prot": "TCP"}], "typ": "x"})
    assert problems == ['unknown field "spec.ports[0].prot"', 'unknown field "spec.typ"']
    assert obj["spec"] == {"ports": [{"port": 80}]}


def test_nulls_are_dropped() -> None:
    obj, problems = decode("pods", metadata={"name": "a", "creationTimestamp": None})
    assert (obj["metadata"], problems) == ({"name": "a"}, [])


def test_numbers_in_quantities_become_text() -> None:
    limits = {"cpu": 1, "memory": "1Gi"}
    obj, _ = decode("pods", spec={"containers": [{"resources": {"limits": limits}}]})
    assert obj["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "1", "memory": "1Gi"}


def test_labels_and_free_form_json_are_not_looked_into() -> None:
    obj, problems = decode(
        "controllerrevisions.apps", data={"any": {"thing": [1]}}, metadata={"labels": {"x": "y"}}
    )
    assert (obj["data"], problems) == ({"any": {"thing": [1]}}, [])


@pytest.mark.parametrize(
    ("resource_name", "fields", "words"),
    [
        (
            "services",
            {"spec": {"ports": [{"port": "http"}]}},
            'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal '
            "string into Go struct field ServicePort.spec.ports.port of type int32",
        ),
        (
            "pods",
            {"spec": {"containers": [{"env": [{"name": "a", "value": 1}]}]}},
            "cannot unmarshal number into Go struct field "
            "EnvVar.spec.containers.env.value of type string",
        ),
        ("pods", {"spec": {"containers": {}}}, "cannot unmarshal object into Go struct field"),
        ("pods", {"spec": "x"}, "cannot unmarshal string into Go struct field Pod.spec of type"),
        ("pods", {"spec": {"hostNetwork": "yes"}}, "of type bool"),
        ("services", {"spec": {"ports": [{"port": 5_000_000_000}]}}, "of type int32"),
        (
            "pods",
            {"spec": {"containers": [{"resources": {"limits": {"cpu": "lots"}}}]}},
            "quantities must match the regular expression",
        ),
        ("secrets", {"data": {"key": "not base64!"}}, "illegal base64 data"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_in_kubernetes_words(
    resource_name: str, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(StatusError) as refusal:
        decode(resource_name, **fields)
    assert refusal.value.code == 400
    assert words in refusal.value.message


def test_nulls_in_lists_and_maps_become_zero_values() -> None:
    containers = [None, {"args": [None], "resources": {"limits": {"cpu": None}}}]
    obj, _ = decode("pods", spec={"containers": containers})
    assert obj["spec"]["containers"] == [
        {},
        {"args": [""], "resources": {"limits": {"cpu": "0"}}},
    ]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2026-01-01T02:00:00.5+02:00", "2026-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("2026-01-01T02:00:00", None),
        ("2026-13-01T00:00:00Z", None),
        ("2026-01-01t00:00:00z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("٢٠٢٦-01-01T00:00:00Z", None),
    ],
)
def test_a_time_is_kept_in_utc_or_refused(text: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(StatusError, match="parsing time"):
            decode("pods", metadata={"deletionTimestamp": text})
        return
    obj, _ = decode("pods", metadata={"deletionTimestamp": text})
    assert obj["metadata"]["deletionTimestamp"] == kept


@pytest.mark.parametrize("value", ["é", "a", "YQ", 1])
def test_data_that_is_no_base64_is_refused(value: Any) -> None:
    with pytest.raises(StatusError) as refused:
        decode("secrets", data={"a": value})
    assert refused.value.code == 400


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": "x"}},
        {"items": "x"},
        {"items": ["x"]},
        {"items": {"properties": {"a": "x"}}},
        {"additionalProperties": "x"},
        {"additionalProperties": {"type": 3}},
        {"not": []},
        {"allOf": ["x"]},
        {"required": "x"},
    ],
)
def test_a_schema_of_wrong_types_is_refused_however_deep(schema: Any) -> None:
    version = {"name": "v1", "schema": {"openAPIV3Schema": {"properties": {"spec": schema}}}}
    with pytest.raises(StatusError, match="cannot unmarshal"):
        decode("customresourcedefinitions.apiextensions.k8s.io", spec={"versions": [version]})
