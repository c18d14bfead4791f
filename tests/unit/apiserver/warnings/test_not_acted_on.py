"""Kinds that nothing acts on: whoever creates one is told, and the reference names them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotfish.apiserver.warnings.not_acted_on import NOT_ACTED_ON
from pilotfish.apiserver.warnings.registry import warnings_of
from pilotfish.objects.resources import RESOURCES, resource

REFERENCE = Path(__file__).parents[4] / "docs/reference/kubernetes.md"
META = {"metadata": {"name": "a"}}


@pytest.mark.parametrize(
    "name",
    [
        "networkpolicies.networking.k8s.io",
        "persistentvolumeclaims",
        "ingresses.networking.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "horizontalpodautoscalers.autoscaling",
        "resourcequotas",
    ],
)
def test_creating_one_warns(name: str) -> None:
    kind = resource(name)
    (told,) = warnings_of(kind, META)
    assert told.startswith(f"{kind.kind} is stored, but ")
    assert warnings_of(kind, META, META) == []


def test_what_something_acts_on_warns_nobody() -> None:
    assert warnings_of(resource("configmaps"), META) == []


def test_every_kind_of_the_table_exists() -> None:
    known = {(each.group, each.kind) for each in RESOURCES}
    assert set(NOT_ACTED_ON) <= known


def test_the_reference_names_them_all() -> None:
    text = REFERENCE.read_text().split("## What is stored and not acted on")[1]
    assert [kind for _, kind in NOT_ACTED_ON if f"`{kind}`" not in text] == []


def test_a_namespace_that_asks_for_pod_security_warns_once() -> None:
    def labelled(**levels: str) -> dict[str, object]:
        labels = {f"pod-security.kubernetes.io/{mode}": level for mode, level in levels.items()}
        return {"metadata": {"name": "a", "labels": labels}}

    kind, strict = resource("namespaces"), labelled(enforce="restricted")
    assert warnings_of(kind, strict) == [
        "Pod Security (enforce=restricted) is not enforced here: no Pod is refused by it"
    ]
    assert warnings_of(kind, strict, strict) == []
    assert warnings_of(kind, strict, labelled()) != []
    assert warnings_of(kind, labelled(enforce="privileged")) == []
