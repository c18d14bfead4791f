"""Deletion: what holds an object, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pilotfish.apiserver.deleting import DeleteOptions, is_finished, mark
from pilotfish.objects.resources import resource

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PODS, CONFIG_MAPS, NAMESPACES = (resource(n) for n in ("pods", "configmaps", "namespaces"))


def running_pod(**metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "a", "generation": 1, **metadata},
        "spec": {"nodeName": "node-1", "terminationGracePeriodSeconds": 30},
        "status": {"phase": "Running"},
    }


def test_an_object_that_nothing_holds_is_gone_at_once() -> None:
    assert mark(CONFIG_MAPS, {"metadata": {"name": "a"}}, DeleteOptions(), NOW)


def test_a_running_pod_gets_its_grace_period() -> None:
    pod = running_pod()
    assert not mark(PODS, pod, DeleteOptions(), NOW)
    assert pod["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:30Z"
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 30
    assert pod["metadata"]["generation"] == 2


def test_the_request_may_shorten_the_grace_period_but_not_lengthen_it_later() -> None:
    pod = running_pod()
    mark(PODS, pod, DeleteOptions(grace_period_s=5), NOW)
    assert pod["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:05Z"
    mark(PODS, pod, DeleteOptions(grace_period_s=60), NOW)
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 5
    mark(PODS, pod, DeleteOptions(grace_period_s=1), NOW)
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 1


def test_the_kubelet_finishes_a_pod_with_grace_period_zero() -> None:
    pod = running_pod()
    mark(PODS, pod, DeleteOptions(), NOW)
    assert mark(PODS, pod, DeleteOptions(grace_period_s=0), NOW)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_is_gone_at_once(phase: str) -> None:
    pod = running_pod()
    pod["status"]["phase"] = phase
    assert mark(PODS, pod, DeleteOptions(), NOW)


def test_an_unscheduled_pod_is_gone_at_once() -> None:
    pod = running_pod()
    del pod["spec"]["nodeName"]
    assert mark(PODS, pod, DeleteOptions(), NOW)


def test_finalizers_hold_an_object_until_the_last_is_removed() -> None:
    obj: dict[str, Any] = {"metadata": {"name": "a", "finalizers": ["example.com/x"]}}
    assert not mark(CONFIG_MAPS, obj, DeleteOptions(), NOW)
    assert not is_finished(CONFIG_MAPS, obj)
    obj["metadata"]["finalizers"] = []
    assert is_finished(CONFIG_MAPS, obj)


@pytest.mark.parametrize(
    ("propagation", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")]
)
def test_a_propagation_policy_leaves_its_finalizer_to_the_garbage_collector(
    propagation: str, finalizer: str
) -> None:
    obj: dict[str, Any] = {"metadata": {"name": "a"}}
    assert not mark(CONFIG_MAPS, obj, DeleteOptions(propagation=propagation), NOW)
    assert obj["metadata"]["finalizers"] == [finalizer]


def test_a_background_deletion_takes_back_an_earlier_policy() -> None:
    obj: dict[str, Any] = {"metadata": {"name": "a"}}
    mark(CONFIG_MAPS, obj, DeleteOptions(propagation="Foreground"), NOW)
    assert mark(CONFIG_MAPS, obj, DeleteOptions(propagation="Background"), NOW)


def test_a_namespace_waits_for_its_controller_to_empty_it() -> None:
    namespace: dict[str, Any] = {
        "metadata": {"name": "a"},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }
    assert not mark(NAMESPACES, namespace, DeleteOptions(), NOW)
    assert namespace["status"]["phase"] == "Terminating"
    assert not is_finished(NAMESPACES, namespace)
    namespace["spec"] = {}
    assert is_finished(NAMESPACES, namespace)
