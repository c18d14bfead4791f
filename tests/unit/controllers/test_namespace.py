"""Namespaces on their way out: what is emptied, and what is said while something is left."""

from __future__ import annotations

from pilotfish.controllers.namespace import held_by, namespaced_resources, remaining_status
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object
from support.workloads import make_pod


def said(status: Object, type_: str) -> tuple[str, str]:
    entry = condition({"status": status}, type_)
    assert entry is not None
    return entry["status"], entry["message"]


def test_each_kind_in_a_namespace_is_emptied_once() -> None:
    names = [resource.full_name for resource in namespaced_resources()]
    assert {"pods", "services", "deployments.apps", "leases.coordination.k8s.io"} <= set(names)
    assert len(names) == len(set(names))
    assert "nodes" not in names
    assert "bindings" not in names
    assert [name for name in names if "events" in name] == ["events"]


def test_what_is_left_and_what_holds_it_is_told_in_kubernetes_words() -> None:
    status = remaining_status({}, {"pods": 2}, {"example.com/hold": 1}, "")
    assert status["phase"] == "Terminating"
    assert said(status, "NamespaceContentRemaining") == (
        "True",
        "Some resources are remaining: pods has 2 resource instances",
    )
    assert said(status, "NamespaceFinalizersRemaining") == (
        "True",
        "Some content in the namespace has finalizers remaining: "
        "example.com/hold in 1 resource instances",
    )
    assert said(status, "NamespaceDeletionContentFailure")[0] == "False"


def test_a_refusal_is_told_and_taken_back() -> None:
    failed = remaining_status({}, {}, {}, "pods: forbidden")
    assert said(failed, "NamespaceDeletionContentFailure") == ("True", "pods: forbidden")
    after = remaining_status({"status": failed}, {"pods": 1}, {}, "")
    assert said(after, "NamespaceDeletionContentFailure")[0] == "False"


def test_finalizers_are_counted_over_objects() -> None:
    pods = [make_pod("a", finalizers=["x", "y"]), make_pod("b", finalizers=["x"]), make_pod("c")]
    assert held_by(pods) == {"x": 2, "y": 1}
