"""Lists under server-side apply: order, duplicates, keys that are left out."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.apiserver.apply.accounting import account_creation
from pilotfish.apiserver.apply.applying import apply_configuration
from pilotfish.apiserver.apply.checking import check_elements
from pilotfish.apiserver.apply.managers import read_managers
from pilotfish.apiserver.custom.types import type_of_schema
from pilotfish.apiserver.errors import StatusError
from pilotfish.objects.schema import schema_for

Object = dict[str, Any]

POD = schema_for("v1", "Pod")
# A custom kind with a set, and a list whose second key has a default.
WIDGET = type_of_schema(
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "set": {
                        "type": "array",
                        "items": {"type": "string"},
                        "x-kubernetes-list-type": "set",
                    },
                    "list": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["k", "p"],
                        "items": {
                            "type": "object",
                            "properties": {
                                "k": {"type": "integer"},
                                "p": {"type": "string", "default": "TCP"},
                                "v": {"type": "string"},
                            },
                        },
                    },
                },
            }
        },
    }
)


def pod(*containers: Object) -> Object:
    metadata = {"name": "p", "namespace": "default"}
    spec = {"containers": list(containers)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def widget(**spec: Any) -> Object:
    return {"apiVersion": "a.b/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec}


def env(*names: str) -> Object:
    return pod({"name": "c", "env": [{"name": name} for name in names]})


def env_of(obj: Object) -> list[str]:
    return [each["name"] for each in obj["spec"]["containers"][0].get("env", ())]


def apply(live: Object, applied: Object, manager: str = "m", *, force: bool = False) -> Object:
    schema = POD if live["kind"] == "Pod" else WIDGET
    return apply_configuration(
        copy.deepcopy(live), copy.deepcopy(applied), schema, manager, force=force
    )


def made(obj: Object, manager: str = "maker") -> Object:
    """An object as an update by somebody would leave it."""
    obj = copy.deepcopy(obj)
    schema = POD if obj["kind"] == "Pod" else WIDGET
    account_creation(obj, schema, manager, but_status=True)
    return obj


def owned(obj: Object, manager: str) -> set[tuple[str, ...]]:
    return {path for each in read_managers(obj) if each.name == manager for path in each.paths}


@pytest.mark.parametrize(
    ("live", "applied", "merged"),
    [
        ("b", "ab", "ab"),
        ("ab", "ba", "ba"),
        ("abc", "axbc", "axbc"),
        ("abc", "cab", "cab"),
        ("ac", "abc", "abc"),
        # What the applier does not name keeps its place among what both have.
        ("axb", "ab", "axb"),
        ("xab", "ba", "xba"),
        ("axb", "ba", "xba"),
        ("abx", "ba", "bxa"),
        ("xy", "ab", "xyab"),
        ("axby", "abc", "axbyc"),
        ("axyb", "anb", "axynb"),
        ("", "ab", "ab"),
        # Duplicates of what is applied give way to it; others are left alone.
        ("aab", "a", "ab"),
        ("aba", "ab", "ab"),
        ("aab", "b", "aab"),
    ],
)
def test_the_applied_order_counts(live: str, applied: str, merged: str) -> None:
    assert "".join(env_of(apply(env(*live), env(*applied), force=True))) == merged
    widgets = apply(widget(set=list(live)), widget(set=list(applied)), force=True)
    assert "".join(widgets["spec"]["set"]) == merged


def test_an_element_without_its_key_is_merged_into_no_other() -> None:
    merged = apply(made(pod({"name": "c", "image": "one"})), pod({"image": "two"}))
    assert merged["spec"]["containers"] == [{"name": "c", "image": "one"}, {"image": "two"}]


def test_a_part_of_a_key_may_have_a_default() -> None:
    live = made(widget(list=[{"k": 1, "p": "TCP", "v": "x"}]))
    with pytest.raises(StatusError) as refusal:
        apply(live, widget(list=[{"k": 1, "v": "y"}]))
    assert refusal.value.message == (
        'Apply failed with 1 conflict: conflict with "maker" using a.b/v1: '
        '.spec.list[k=1,p="TCP"].v'
    )
    forced = apply(live, widget(list=[{"k": 1, "v": "y"}]), force=True)
    assert forced["spec"]["list"] == [{"k": 1, "p": "TCP", "v": "y"}]


@pytest.mark.parametrize(
    ("applied", "schema", "problem"),
    [
        (
            env("F", "F"),
            POD,
            'default/p; /v1, Kind=Pod): .spec.containers[name="c"].env: '
            'duplicate entries for key [name="F"]',
        ),
        (
            widget(set=["a", "b", "a"]),
            WIDGET,
            '/w; a.b/v1, Kind=Widget): .spec.set: duplicate entries for key [="a"]',
        ),
        (
            widget(list=[{"k": 1}, {"k": 1, "p": "TCP"}]),
            WIDGET,
            '/w; a.b/v1, Kind=Widget): .spec.list: duplicate entries for key [k=1,p="TCP"]',
        ),
        (
            widget(set=["a", "a"], list=[None]),
            WIDGET,
            '/w; a.b/v1, Kind=Widget): errors:\n  .spec.set: duplicate entries for key [="a"]\n'
            "  .spec.list: element 0: associative list with keys may not have a null element",
        ),
    ],
)
def test_a_list_that_cannot_be_merged_is_refused(
    applied: Object, schema: Any, problem: str
) -> None:
    with pytest.raises(StatusError) as refusal:
        check_elements(applied, schema)
    assert refusal.value.code == 500
    assert refusal.value.message == f"failed to create typed patch object ({problem}"


def test_distinct_elements_are_not_refused() -> None:
    check_elements(env("F", "G"), POD)
    check_elements(widget(set=["a"], list=[{"k": 1}, {"k": 1, "p": "UDP"}]), WIDGET)


def test_duplicates_have_an_owner_whose_word_is_needed_to_repair_them() -> None:
    live = made(env("F", "F", "G"))
    place = ("f:spec", "f:containers", 'k:{"name":"c"}', "f:env", 'k:{"name":"F"}')
    inside = (*place, "f:name")
    assert place in owned(live, "maker") and inside not in owned(live, "maker")
    with pytest.raises(StatusError) as refusal:
        apply(live, env("F"))
    assert refusal.value.code == 409
    repaired = apply(live, env("F"), force=True)
    assert env_of(repaired) == ["F", "G"]
    assert inside in owned(repaired, "m") and place not in owned(repaired, "maker")


def test_giving_up_duplicates_takes_all_of_them() -> None:
    live = apply({**env(), "metadata": {"name": "p", "managedFields": []}}, env("F", "G"))
    live["spec"]["containers"][0]["env"].append({"name": "F"})
    assert env_of(apply(live, env("G"))) == ["G"]


def test_what_a_request_does_not_write_it_does_not_own() -> None:
    applied = {**pod({"name": "c"}), "status": {"phase": "Running"}}
    empty = {**pod(), "metadata": {"name": "p", "managedFields": []}}
    live = apply_configuration(empty, applied, POD, "m", reset=frozenset({"status"}))
    assert {path[0] for path in owned(live, "m")} == {"f:spec"}


NAMES = st.lists(st.sampled_from("abcde"), unique=True)


@given(NAMES, NAMES)
def test_every_element_is_there_once_and_the_applied_ones_in_order(
    live: list[str], applied: list[str]
) -> None:
    merged = env_of(apply(env(*live), env(*applied), force=True))
    assert sorted(merged) == sorted({*live, *applied})
    assert [name for name in merged if name in applied] == applied
    others = [name for name in live if name not in applied]
    assert [name for name in merged if name not in applied] == others


@given(st.lists(st.sampled_from("abcde")), NAMES)
def test_applying_again_changes_nothing(live: list[str], applied: list[str]) -> None:
    once = apply(made(env(*live)), env(*applied), force=True)
    assert env_of(apply(once, env(*applied))) == env_of(once)


@given(NAMES, NAMES, NAMES)
def test_owners_together_own_what_is_there(
    live: list[str], first: list[str], second: list[str]
) -> None:
    obj = apply(made(env(*live)), env(*first), "one", force=True)
    obj = apply(obj, env(*second), "two", force=True)
    paths = owned(obj, "maker") | owned(obj, "one") | owned(obj, "two")
    named = {path[4] for path in paths if len(path) == 5 and path[3] == "f:env"}
    assert named == {f'k:{{"name":"{name}"}}' for name in env_of(obj)}
