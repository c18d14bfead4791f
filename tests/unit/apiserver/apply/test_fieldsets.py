"""Field sets: who said what, down to the elements of lists."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pilotfish.apiserver.apply.fieldsets import (
    fields_of,
    from_fields_v1,
    shown,
    to_fields_v1,
)
from pilotfish.apiserver.apply.places import MISSING, Places, remove_all
from pilotfish.objects.schema import schema_for

SERVICE = schema_for("v1", "Service")
PORTS = '{"port":80,"protocol":"TCP"}'


def service(*ports: dict[str, Any], **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "a", "labels": labels},
        "spec": {"ports": list(ports), "selector": {"app": "a"}},
    }


def test_what_tells_who_an_object_is_belongs_to_nobody() -> None:
    assert fields_of({"kind": "Service", "metadata": {"name": "a", "uid": "u"}}, SERVICE) == set()


def test_elements_are_named_by_their_keys_and_atomic_parts_are_whole() -> None:
    assert to_fields_v1(fields_of(service({"port": 80, "name": "x"}, tier="front"), SERVICE)) == {
        "f:metadata": {"f:labels": {"f:tier": {}}},
        "f:spec": {
            "f:ports": {f"k:{PORTS}": {".": {}, "f:name": {}, "f:port": {}}},
            "f:selector": {},
        },
    }


def test_a_path_leads_to_its_value_with_the_default_protocol_filled_in() -> None:
    path = ("f:spec", "f:ports", f"k:{PORTS}", "f:name")
    assert Places(service({"port": 80, "name": "x"}), SERVICE).at(path) == "x"
    assert Places(service({"port": 80, "protocol": "UDP"}), SERVICE).at(path) is MISSING


def test_removing_the_last_part_removes_what_held_it() -> None:
    obj = service({"port": 80}, tier="front")
    remove_all(obj, [("f:metadata", "f:labels", "f:tier")], SERVICE)
    assert obj["metadata"] == {"name": "a"}


def test_a_path_is_shown_as_people_write_it() -> None:
    path = ("f:spec", "f:ports", f"k:{PORTS}", "f:name")
    assert shown(path) == '.spec.ports[port=80,protocol="TCP"].name'


SEGMENTS = st.sampled_from(["f:a", "f:b", 'k:{"n":1}', 'v:"x"'])


@given(st.sets(st.lists(SEGMENTS, min_size=1, max_size=4).map(tuple)))
def test_paths_survive_the_way_through_fields_v1(paths: set[tuple[str, ...]]) -> None:
    assert from_fields_v1(to_fields_v1(paths)) == paths
