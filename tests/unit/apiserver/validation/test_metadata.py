"""Names, labels, owners, and what stays for an object's life."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Refusals = Callable[..., list[str]]


def test_a_good_object_is_not_refused(refusals: Refusals) -> None:
    assert refusals("configmaps", metadata={"labels": {"app": "web"}}) == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("pods", "A"),
        ("namespaces", "a.b"),
        ("services", "a.b"),
        ("clusterroles.rbac.authorization.k8s.io", "a/b"),
    ],
)
def test_names_are_held_to_the_format_of_their_kind(
    refusals: Refusals, kind: str, name: str
) -> None:
    assert refusals(kind, metadata={"name": name}, spec={})[0].startswith(
        f'metadata.name: Invalid value: "{name}": '
    )


def test_roles_may_have_colons(refusals: Refusals) -> None:
    assert refusals("clusterroles.rbac.authorization.k8s.io", metadata={"name": "system:x"}) == []


def test_services_may_start_with_a_digit(refusals: Refusals) -> None:
    spec = {"ports": [{"port": 80}]}
    assert refusals("services", metadata={"name": "1a"}, spec=spec) == []


def test_a_name_is_needed(refusals: Refusals) -> None:
    assert refusals("configmaps", metadata={"name": ""}) == [
        "metadata.name: Required value: name or generateName is required"
    ]


def test_bad_labels_are_shown(refusals: Refusals) -> None:
    key, value = refusals("configmaps", metadata={"labels": {"a b": "c", "d": "-"}})
    assert key.startswith('metadata.labels: Invalid value: "a b": name part must consist of')
    assert value.startswith('metadata.labels: Invalid value: "-": a valid label must be')


def test_annotations_have_a_size(refusals: Refusals) -> None:
    assert refusals("configmaps", metadata={"annotations": {"a": "x" * 262144}}) == [
        "metadata.annotations: Too long: may not be more than 262144 bytes"
    ]


def test_owners_are_named_in_full_and_only_one_controls(refusals: Refusals) -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "1", "controller": True}
    said = refusals("configmaps", metadata={"ownerReferences": [owner, {**owner, "uid": ""}]})
    assert said[0] == ('metadata.ownerReferences[1].uid: Invalid value: "": uid must not be empty')
    assert said[1].endswith("Only one reference can have Controller set to true.")


def test_finalizers_are_qualified(refusals: Refusals) -> None:
    assert refusals("configmaps", metadata={"finalizers": ["example.com/a", "orphan"]}) == []
    (said,) = refusals("configmaps", metadata={"finalizers": ["mine"]})
    assert "neither a standard finalizer name nor is it fully qualified" in said


def test_identity_cannot_change(change_refusals: Refusals) -> None:
    new = {"metadata": {"name": "b", "namespace": "default", "uid": "u2"}}
    assert change_refusals("configmaps", {}, new) == [
        'metadata.name: Invalid value: "b": field is immutable',
        'metadata.uid: Invalid value: "u2": field is immutable',
    ]


def test_what_was_stored_is_not_checked_anew(change_refusals: Refusals) -> None:
    old = {"spec": {"ports": [{"port": 0}]}}
    labelled = {"metadata": {"name": "a", "namespace": "default", "labels": {"a": "b"}}}
    assert change_refusals("services", old, labelled) == []
