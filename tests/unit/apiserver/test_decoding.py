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
