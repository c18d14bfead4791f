"""Selections: what a list or watch is about."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.entries import Entry, encode
from pilotfish.apiserver.errors import StatusError
from pilotfish.apiserver.fields import selectable_fields
from pilotfish.apiserver.selection import selection_of
from pilotfish.objects.resources import resource

PODS = resource("pods")


def entry(name: str, namespace: str = "a", node: str = "", **labels: str) -> Entry:
    obj = {"metadata": {"name": name, "namespace": namespace, "labels": labels}, "spec": {}}
    if node:
        obj["spec"] = {"nodeName": node}
    return encode(lambda obj: selectable_fields("pods", obj), f"{namespace}/{name}", 1, obj)


@pytest.mark.parametrize(
    ("namespace", "labels", "fields", "selected"),
    [
        ("", "", "", True),
        ("a", "", "", True),
        ("aa", "", "", False),
        ("", "app=web", "", True),
        ("", "app!=web", "", False),
        ("", "", "metadata.name=x", True),
        ("", "", "metadata.namespace!=a", False),
        ("", "", "spec.nodeName=node-1", True),
        ("", "", "spec.nodeName=", False),
        ("", "", "spec.hostNetwork=false", True),
        ("a", "app", "spec.nodeName!=node-2,metadata.name=x", True),
    ],
)
def test_namespace_labels_and_fields_must_all_hold(
    namespace: str, labels: str, fields: str, selected: bool
) -> None:
    pod = entry("x", node="node-1", app="web")
    assert selection_of(PODS, namespace, labels, fields).matches(pod) is selected


@pytest.mark.parametrize(
    ("labels", "fields", "words"),
    [
        ("a in (", "", "expected"),
        ("", "spec.color=red", "field label not supported: spec.color"),
        ("", "nonsense", "invalid selector"),
    ],
)
def test_what_cannot_be_selected_by_is_a_bad_request(labels: str, fields: str, words: str) -> None:
    with pytest.raises(StatusError) as refusal:
        selection_of(PODS, "", labels, fields)
    assert refusal.value.code == 400
    assert words in refusal.value.message
