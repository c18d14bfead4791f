"""Protobuf bodies, as Go clients send them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotfish.apiserver.errors import StatusError
from pilotfish.apiserver.limits import MAX_DEPTH
from pilotfish.apiserver.protobuf import decode_protobuf
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import RESOURCES
from pilotfish.objects.schema import Field, Type, schema_for, type_named
from support.protobuf import encode, envelope, field


def test_what_kubectl_sends_for_a_configmap() -> None:
    # Go writes empty strings and the zero time too: they say nothing.
    metadata = b"".join(
        (field(1, b"foo"), field(2, b""), field(3, b""), field(7, 0), field(8, b""))
    )
    data = field(1, b"a") + field(2, b"b")
    body = envelope("v1", "ConfigMap", field(1, metadata) + field(2, data))
    assert decode_protobuf(body) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "foo"},
        "data": {"a": "b"},
    }


def test_a_zero_is_kept_where_it_means_something() -> None:
    body = envelope("autoscaling/v1", "Scale", field(2, field(1, 0)))
    assert decode_protobuf(body)["spec"] == {"replicas": 0}


def test_a_service_port_has_its_target_port_only_when_one_was_said() -> None:
    unsaid = field(1, b"p") + field(3, 80) + field(4, field(1, 0) + field(2, 0) + field(3, b""))
    named = field(3, 81) + field(4, field(1, 1) + field(2, 0) + field(3, b"http"))
    body = envelope("v1", "Service", field(2, field(1, unsaid) + field(1, named)))
    assert decode_protobuf(body)["spec"]["ports"] == [
        {"name": "p", "port": 80},
        {"port": 81, "targetPort": "http"},
    ]


def test_inlined_structs_appear_in_their_parent() -> None:
    source = field(2, field(1, field(1, b"/path")))
    volume = field(1, b"v") + source
    body = envelope("v1", "Pod", field(2, field(1, volume)))
    assert decode_protobuf(body)["spec"]["volumes"] == [
        {"name": "v", "hostPath": {"path": "/path"}}
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"k8s\x00\xff",
        envelope("v1", "Nonsense", b""),
        envelope("v1", "ConfigMap", b"\x0a\x7fshort"),
    ],
)
def test_other_bytes_are_a_bad_request(body: bytes) -> None:
    with pytest.raises(StatusError) as refusal:
        decode_protobuf(body)
    assert refusal.value.code == 400


def test_every_built_in_kind_has_a_protobuf_form() -> None:
    """Go's typed clients send protobuf for each of them."""
    sent = {f"{each.api_version}/{each.kind}" for each in RESOURCES}
    sent |= {"autoscaling/v1/Scale", "policy/v1/Eviction", "v1/Binding", "v1/DeleteOptions"}
    for each in sorted(sent):
        api_version, _, kind = each.rpartition("/")
        named = field(1, field(1, b"a"))
        if kind == "DeleteOptions":
            continue
        body = envelope(api_version, kind, named)
        assert decode_protobuf(body)["kind"] == kind
        if "metadata" in decode_protobuf(body):
            assert decode_protobuf(body)["metadata"] == {"name": "a"}


def test_a_zero_that_a_pointer_leads_to_is_kept() -> None:
    lease = envelope("coordination.k8s.io/v1", "Lease", field(2, field(2, 0) + field(5, 0)))
    assert decode_protobuf(lease)["spec"] == {"leaseDurationSeconds": 0, "leaseTransitions": 0}
    service = envelope("v1", "Service", field(2, field(20, 0)))
    assert decode_protobuf(service)["spec"]["allocateLoadBalancerNodePorts"] is False


def test_schemas_of_definitions_have_their_either_or() -> None:
    text = field(5, b"string")
    items = field(24, field(1, text))
    values = field(30, field(2, text))
    any_value = field(30, field(1, 1))
    default = field(8, field(1, b'{"a":1}'))
    schema = field(5, b"array") + items + default
    for extra, expected in ((values, {"type": "string"}), (any_value, True)):
        version = field(4, field(1, schema + extra))
        spec = field(2, field(7, field(1, b"v1") + version))
        crd = decode_protobuf(envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition", spec))
        found = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        assert found["items"] == {"type": "string"}
        assert found["default"] == {"a": 1}
        assert found["additionalProperties"] == expected


DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"plural": "widgets", "kind": "Widget"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "a": {"type": "array", "items": {"type": "string"}},
                            "b": {"type": "object", "additionalProperties": {"type": "integer"}},
                            "c": {"type": "integer", "minimum": 0.5, "default": 3},
                        },
                    }
                },
                "subresources": {"status": {}},
            }
        ],
    },
}


def test_a_definition_with_an_empty_subresource_is_read() -> None:
    assert decode_protobuf(encode(DEFINITION)) == DEFINITION


def test_a_pod_with_empty_structs_is_read() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {
            "volumes": [{"name": "v", "emptyDir": {}}],
            "containers": [{"name": "c", "securityContext": {}}],
        },
    }
    assert decode_protobuf(encode(pod)) == pod


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "bytes": st.just("YQ=="),
    "int32": st.integers(-(2**31), 2**31 - 1).filter(bool),
    "int64": st.integers(-(2**63), 2**63 - 1).filter(bool),
    "integer": st.integers(-(2**63), 2**63 - 1).filter(bool),
    "number": st.floats(allow_nan=False, allow_infinity=False).filter(bool),
    "boolean": st.just(True),
    "quantity": st.sampled_from(["1", "100m", "1Gi"]),
    "time": st.sampled_from(["0001-01-01T00:00:01Z", "2026-01-01T00:00:00Z"]),
    "microtime": st.sampled_from(["0001-01-01T00:00:00.000001Z", "9999-12-31T23:59:59.999999Z"]),
    "int-or-string": st.integers(1, 2**31 - 1) | TEXT,
    "any": st.just({"a": [1]}),
}


@st.composite
def objects(draw: st.DrawFn, schema: Type, depth: int) -> Object:
    """An object with some of the fields of its type."""
    names = [name for name in schema.fields if name not in ("apiVersion", "kind")]
    if not names or depth <= 0:
        return {}
    chosen = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
    return {name: draw(values(schema.fields[name], depth)) for name in chosen}


def values(field: Field, depth: int) -> st.SearchStrategy[Any]:
    """Values of a field. Those that say nothing are left out: protobuf cannot tell them."""
    if field.type in SCALARS:
        return SCALARS[field.type]
    if field.type == "object":
        return objects(type_named(field.ref), depth - 1)
    assert field.items is not None
    inner = values(field.items, depth)
    if field.type == "array":
        return st.lists(inner, min_size=1, max_size=2)
    return st.dictionaries(TEXT, inner, min_size=1, max_size=2)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.full_name)
@settings(max_examples=8, deadline=None, database=None)
@given(data=st.data())
def test_an_object_of_each_kind_survives_protobuf(resource: Any, data: st.DataObject) -> None:
    schema = schema_for(resource.api_version, resource.kind)
    assert schema is not None
    made = data.draw(objects(schema, 4))
    obj = {"apiVersion": resource.api_version, "kind": resource.kind, **made}
    assert decode_protobuf(encode(obj)) == obj


@given(st.binary(max_size=60))
def test_no_bytes_are_more_than_refused(data: bytes) -> None:
    for kind in ("Pod", "Event", "Lease"):
        api_version = "coordination.k8s.io/v1" if kind == "Lease" else "v1"
        try:
            decode_protobuf(envelope(api_version, kind, data))
        except StatusError as error:
            assert error.code == 400


@given(st.data())
def test_a_definition_with_a_byte_changed_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(encode(DEFINITION))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode_protobuf(bytes(body))
    except StatusError as error:
        assert error.code == 400


def test_a_schema_nested_too_deeply_is_refused() -> None:
    schema: Object = {"type": "object"}
    for _ in range(MAX_DEPTH):
        schema = {"not": schema}
    version = {"name": "v1", "schema": {"openAPIV3Schema": schema}}
    with pytest.raises(StatusError, match="exceeded max depth"):
        decode_protobuf(encode({**DEFINITION, "spec": {"versions": [version]}}))
