"""The table of resources agrees with the table of types."""

from __future__ import annotations

import pytest

from pilotfish.objects.resources import RESOURCES, resource, resource_of
from pilotfish.objects.schema import kinds, schema_for, type_named, type_names

# Kinds that travel in requests and answers but are no resource of their own.
MESSAGES = {
    "APIGroup",
    "APIVersions",
    "DeleteOptions",
    "Eviction",
    "Scale",
    "Status",
    "TokenRequest",
    "WatchEvent",
}


def test_every_stable_kind_is_a_resource_with_a_schema() -> None:
    rows = {f"{entry.api_version}/{entry.kind}" for entry in RESOURCES}
    stable = {
        kind
        for kind in kinds()
        if not kind.endswith("List") and kind.rpartition("/")[2] not in MESSAGES
    }
    assert rows == stable


def test_every_reference_of_a_type_leads_to_a_type() -> None:
    for name in type_names():
        for field in type_named(name).fields.values():
            element = field
            while element.items is not None:
                element = element.items
            if element.type == "object":
                assert type_named(element.ref).name == element.ref


def test_an_unknown_kind_has_no_schema() -> None:
    assert schema_for("v1", "Serivce") is None
    assert resource_of({"apiVersion": "v1", "kind": "Serivce"}) is None


def test_the_schema_knows_how_lists_merge() -> None:
    service = schema_for("v1", "Service")
    assert service is not None
    ports = type_named(service.fields["spec"].ref).fields["ports"]
    assert (ports.list_type, ports.map_keys, ports.merge_key) == (
        "map",
        ("port", "protocol"),
        "port",
    )


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("services", "/api/v1/namespaces/shop/services/api"),
        ("replicasets.apps", "/apis/apps/v1/namespaces/shop/replicasets/api"),
        ("nodes", "/api/v1/nodes/api"),
    ],
)
def test_the_path_of_an_object_follows_its_scope(name: str, path: str) -> None:
    assert resource(name).path("shop", "api") == path


def test_the_first_version_of_a_resource_is_the_preferred_one() -> None:
    assert resource("horizontalpodautoscalers.autoscaling").version == "v2"
    old = resource_of({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler"})
    assert old is not None
    assert old.version == "v1"
