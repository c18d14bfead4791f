"""Apply: a manager's intent against the live object and its other managers."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.apiserver.apply.accounting import account_update
from pilotfish.apiserver.apply.applying import apply_configuration
from pilotfish.apiserver.apply.managers import read_managers
from pilotfish.apiserver.errors import StatusError
from pilotfish.objects.schema import schema_for

SERVICE = schema_for("v1", "Service")
Object = dict[str, Any]


def intent(*ports: Object, **labels: str) -> Object:
    obj: Object = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}
    if labels:
        obj["metadata"]["labels"] = labels
    if ports:
        obj["spec"] = {"ports": list(ports)}
    return obj


def apply(live: Object, applied: Object, manager: str, *, force: bool = False) -> Object:
    return apply_configuration(
        copy.deepcopy(live), copy.deepcopy(applied), SERVICE, manager, force=force
    )


def fresh() -> Object:
    metadata: Object = {"name": "a", "managedFields": []}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata}


def labels_of(obj: Object) -> Object:
    found: Object = obj["metadata"].get("labels", {})
    return found


def test_two_managers_add_to_one_list() -> None:
    one = apply(fresh(), intent({"port": 80, "protocol": "TCP"}), "one")
    two = apply(one, intent({"port": 81, "protocol": "TCP"}), "two")
    assert [port["port"] for port in two["spec"]["ports"]] == [80, 81]


def test_giving_up_an_element_removes_it_and_leaves_the_others() -> None:
    both = intent({"port": 80, "protocol": "TCP"}, {"port": 81, "protocol": "TCP"})
    live = apply(fresh(), both, "one")
    live = apply(live, intent({"port": 81, "protocol": "TCP"}), "one")
    assert [port["port"] for port in live["spec"]["ports"]] == [81]


def test_what_another_manager_owns_too_stays_when_one_gives_it_up() -> None:
    live = apply(fresh(), intent(x="1"), "one")
    live = apply(live, intent(x="1"), "two")
    live = apply(live, intent(y="2"), "one")
    assert labels_of(live) == {"x": "1", "y": "2"}


def test_another_manager_s_value_is_not_overwritten_unless_forced() -> None:
    live = apply(fresh(), intent(x="1"), "one")
    with pytest.raises(StatusError) as refusal:
        apply(live, intent(x="2"), "two")
    assert refusal.value.code == 409
    assert refusal.value.message == (
        'Apply failed with 1 conflict: conflict with "one" using v1: .metadata.labels.x'
    )
    forced = apply(live, intent(x="2"), "two", force=True)
    assert labels_of(forced) == {"x": "2"}
    assert [manager.name for manager in read_managers(forced)] == ["two"]


def test_an_update_takes_over_the_fields_that_it_changes() -> None:
    old = apply(fresh(), intent(x="1", y="1"), "one")
    new = copy.deepcopy(old)
    new["metadata"]["labels"]["x"] = "2"
    account_update(new, old, SERVICE, "editor", "")
    owners = {manager.name: len(manager.paths) for manager in read_managers(new)}
    assert owners == {"one": 1, "editor": 1}


def test_what_was_written_before_the_first_apply_has_an_owner() -> None:
    unmanaged = fresh()
    del unmanaged["metadata"]["managedFields"]
    unmanaged["metadata"]["labels"] = {"x": "1"}
    with pytest.raises(StatusError, match='conflict with "before-first-apply"'):
        apply(unmanaged, intent(x="2"), "one")


LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2"]))


@given(LABELS, LABELS)
def test_applying_twice_is_applying_once(have: dict[str, str], want: dict[str, str]) -> None:
    live = apply(fresh(), intent(**have), "one")
    once = apply(live, intent(**want), "one")
    twice = apply(once, intent(**want), "one")
    assert (labels_of(twice), twice.get("spec")) == (labels_of(once), once.get("spec"))
    assert labels_of(once) == want


@given(LABELS, LABELS, LABELS)
def test_an_apply_never_loses_what_another_manager_owns(
    theirs: dict[str, str], first: dict[str, str], second: dict[str, str]
) -> None:
    live = apply(fresh(), intent(**theirs), "them")
    for mine in (first, second):
        agreed = {key: value for key, value in mine.items() if theirs.get(key, value) == value}
        live = apply(live, intent(**agreed), "me")
    assert labels_of(live).items() >= theirs.items()


def test_who_added_the_labels_gives_up_one_of_them_and_keeps_the_others() -> None:
    """An account that was an updater's (as `kubectl apply --server-side` takes over) has "."."""
    live = fresh()
    live["metadata"]["labels"] = {"gone": "soon", "kept": "yes"}
    labels = {".": {}, "f:gone": {}, "f:kept": {}}
    live["metadata"]["managedFields"] = [
        {
            "manager": "one",
            "operation": "Apply",
            "apiVersion": "v1",
            "fieldsV1": {"f:metadata": {"f:labels": labels}},
        }
    ]
    assert labels_of(apply(live, intent(kept="yes"), "one")) == {"kept": "yes"}


def test_an_empty_map_takes_nothing_from_who_filled_it() -> None:
    live = fresh()
    live["metadata"]["labels"] = {"a": "b"}
    labels = {".": {}, "f:a": {}}
    live["metadata"]["managedFields"] = [
        {
            "manager": "editor",
            "operation": "Update",
            "apiVersion": "v1",
            "fieldsV1": {"f:metadata": {"f:labels": labels}},
        }
    ]
    empty = intent()
    empty["metadata"]["labels"] = {}
    assert labels_of(apply(live, empty, "one")) == {"a": "b"}
