"""Strategic merge patch: lists merge by the keys of their types, directives are followed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.apiserver.patches.errors import PatchError
from pilotfish.apiserver.patches.strategic import strategic_merge_patch
from pilotfish.objects.schema import Type, schema_for


def schema(api_version: str, kind: str) -> Type:
    found = schema_for(api_version, kind)
    assert found is not None
    return found


POD = schema("v1", "Pod")
SERVICE = schema("v1", "Service")
DEPLOYMENT = schema("apps/v1", "Deployment")


def pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), **spec}}


def test_containers_merge_by_name_and_new_ones_are_appended() -> None:
    target = pod({"name": "a", "image": "one"}, {"name": "b", "image": "two"})
    patch = pod({"name": "b", "image": "three"}, {"name": "c", "image": "four"})
    assert strategic_merge_patch(target, patch, POD) == pod(
        {"name": "a", "image": "one"},
        {"name": "b", "image": "three"},
        {"name": "c", "image": "four"},
    )


def test_lists_inside_merged_elements_merge_too() -> None:
    target = pod({"name": "a", "env": [{"name": "X", "value": "1"}]})
    patch = pod({"name": "a", "env": [{"name": "Y", "value": "2"}]})
    merged = strategic_merge_patch(target, patch, POD)
    assert [entry["name"] for entry in merged["spec"]["containers"][0]["env"]] == ["Y", "X"]


def test_an_element_is_deleted_by_its_key() -> None:
    target = pod({"name": "a"}, {"name": "b"})
    patch = pod({"$patch": "delete", "name": "a"})
    assert strategic_merge_patch(target, patch, POD) == pod({"name": "b"})


def test_a_list_is_replaced_where_the_patch_says_so() -> None:
    target = pod({"name": "a"}, {"name": "b"})
    patch = pod({"$patch": "replace"}, {"name": "c"})
    assert strategic_merge_patch(target, patch, POD) == pod({"name": "c"})


def test_a_list_without_a_merge_strategy_is_replaced() -> None:
    target = pod({"name": "a", "command": ["x", "y"]})
    patch = pod({"name": "a", "command": ["z"]})
    assert strategic_merge_patch(target, patch, POD) == pod({"name": "a", "command": ["z"]})


def test_an_object_is_replaced_where_the_patch_says_so() -> None:
    target = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    patch = {"metadata": {"labels": {"$patch": "replace", "c": "3"}}}
    assert strategic_merge_patch(target, patch, POD) == {"metadata": {"labels": {"c": "3"}}}


def test_only_retained_keys_stay() -> None:
    target = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic_merge_patch(target, patch, DEPLOYMENT) == {
        "spec": {"strategy": {"type": "Recreate"}}
    }


def test_primitive_lists_gain_and_lose_values() -> None:
    target = {"metadata": {"finalizers": ["a", "b"]}}
    patch = {"metadata": {"finalizers": ["c"], "$deleteFromPrimitiveList/finalizers": ["a"]}}
    assert strategic_merge_patch(target, patch, POD) == {"metadata": {"finalizers": ["c", "b"]}}


def test_the_order_of_elements_follows_the_patch() -> None:
    target = pod({"name": "a"}, {"name": "b"}, {"name": "c"})
    patch = {
        "spec": {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}, {"name": "b"}],
            "containers": [{"name": "c", "image": "new"}],
        }
    }
    merged = strategic_merge_patch(target, patch, POD)
    assert [container["name"] for container in merged["spec"]["containers"]] == ["c", "a", "b"]


def test_what_the_patch_names_comes_in_its_order_and_what_is_new_to_the_front() -> None:
    """As in Kubernetes' own example of a container added by `kubectl patch`."""
    added = strategic_merge_patch(pod({"name": "a"}, {"name": "b"}), pod({"name": "c"}), POD)
    assert [each["name"] for each in added["spec"]["containers"]] == ["c", "a", "b"]
    target = pod({"name": "a"}, {"name": "b"}, {"name": "c"})
    turned = strategic_merge_patch(target, pod({"name": "c"}, {"name": "a"}), POD)
    assert [each["name"] for each in turned["spec"]["containers"]] == ["b", "c", "a"]


def test_ports_of_one_number_and_two_protocols_are_told_apart() -> None:
    ports = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    patch = {"spec": {"ports": [{"port": 53, "protocol": "TCP", "targetPort": 5353}]}}
    merged = strategic_merge_patch({"spec": {"ports": ports}}, patch, SERVICE)
    assert merged["spec"]["ports"] == [
        {"port": 53, "protocol": "UDP"},
        {"port": 53, "protocol": "TCP", "targetPort": 5353},
    ]


def test_an_element_without_its_merge_key_is_refused() -> None:
    with pytest.raises(PatchError, match="merge key: name"):
        strategic_merge_patch(pod(), pod({"image": "x"}), POD)


def test_an_unknown_directive_is_refused() -> None:
    with pytest.raises(PatchError, match="fold"):
        strategic_merge_patch({}, {"spec": {"$patch": "fold"}}, POD)


CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("abc")}, optional={"image": st.sampled_from(["x", "y"])}
    ),
    max_size=3,
    unique_by=lambda container: container["name"],
)


@given(CONTAINERS, CONTAINERS)
def test_a_patch_applied_twice_is_a_patch_applied_once(
    have: list[dict[str, Any]], want: list[dict[str, Any]]
) -> None:
    patch = pod(*want)
    once = strategic_merge_patch(pod(*copy.deepcopy(have)), copy.deepcopy(patch), POD)
    twice = strategic_merge_patch(copy.deepcopy(once), copy.deepcopy(patch), POD)
    assert twice == once
