"""Protobuf bodies, as Go clients send them."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.errors import StatusError
from pilotfish.apiserver.protobuf import decode_protobuf
from pilotfish.objects.resources import RESOURCES


def varint(number: int) -> bytes:
    """A number in base 128, the lowest digit first."""
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    return bytes(digits) + bytes((number,))


def field(number: int, value: bytes | int) -> bytes:
    """One protobuf field."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    meta = field(1, api_version.encode()) + field(2, kind.encode())
    return b"k8s\x00" + field(1, meta) + field(2, raw) + field(3, b"") + field(4, b"")


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
