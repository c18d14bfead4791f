"""ReplicaSets, Deployments and their like that are refused, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Refusals = Callable[..., list[str]]

TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "c", "image": "web"}]},
}
SPEC = {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE}
OTHER = {"matchLabels": {"app": "other"}}
LONG_RUNNING = ["replicasets.apps", "deployments.apps", "statefulsets.apps", "daemonsets.apps"]


def once() -> dict[str, Any]:
    return {"template": {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}}


@pytest.mark.parametrize("kind", LONG_RUNNING)
class TestEveryLongRunningKind:
    def test_a_plain_one_is_taken(self, refusals: Refusals, kind: str) -> None:
        assert refusals(kind, spec=SPEC) == []

    def test_selector_and_template_must_agree(self, refusals: Refusals, kind: str) -> None:
        assert refusals(kind, spec={**SPEC, "selector": OTHER}) == [
            'spec.template.metadata.labels: Invalid value: {"app":"web"}: '
            "`selector` does not match template `labels`"
        ]

    def test_both_are_required(self, refusals: Refusals, kind: str) -> None:
        assert refusals(kind, spec={}) == [
            "spec.selector: Required value",
            "spec.template: Required value",
        ]

    def test_an_empty_selector_selects_nobodys_pods(self, refusals: Refusals, kind: str) -> None:
        (said,) = refusals(kind, spec={**SPEC, "selector": {}})
        assert said.startswith("spec.selector: Invalid value: {}: empty selector is invalid for")

    def test_its_pods_run_for_ever(self, refusals: Refusals, kind: str) -> None:
        template = {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}
        assert refusals(kind, spec={**SPEC, "template": template}) == [
            'spec.template.spec.restartPolicy: Unsupported value: "Never": '
            'supported values: "Always"'
        ]

    def test_a_bad_container_is_found_in_the_template(self, refusals: Refusals, kind: str) -> None:
        template = {**TEMPLATE, "spec": {"containers": [{"name": "c"}]}}
        assert refusals(kind, spec={**SPEC, "template": template}) == [
            "spec.template.spec.containers[0].image: Required value"
        ]


@pytest.mark.parametrize("kind", ["replicasets.apps", "deployments.apps", "daemonsets.apps"])
def test_the_selector_stays(change_refusals: Refusals, kind: str) -> None:
    template = {**TEMPLATE, "metadata": {"labels": {"app": "other"}}}
    new = {"spec": {**SPEC, "selector": OTHER, "template": template}}
    assert change_refusals(kind, {"spec": SPEC}, new) == [
        'spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable'
    ]


def test_there_are_no_negative_replicas(refusals: Refusals) -> None:
    assert refusals("replicasets.apps", spec={**SPEC, "replicas": -1}) == [
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0"
    ]


def test_expressions_of_selectors_are_checked(refusals: Refusals) -> None:
    expressions = [{"key": "app", "operator": "In"}, {"key": "app", "operator": "Near"}]
    selector = {"matchExpressions": expressions}
    assert refusals("replicasets.apps", spec={**SPEC, "selector": selector}) == [
        "spec.selector.matchExpressions[0].values: Required value: "
        "must be specified when `operator` is 'In' or 'NotIn'",
        'spec.selector.matchExpressions[1].operator: Invalid value: "Near": '
        "not a valid selector operator",
    ]


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        (
            {"type": "Blue"},
            'spec.strategy.type: Unsupported value: "Blue": '
            'supported values: "Recreate", "RollingUpdate"',
        ),
        (
            {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}},
            "spec.strategy.rollingUpdate: Forbidden: "
            "may not be specified when strategy `type` is 'Recreate'",
        ),
        (
            {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}},
            'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": '
            "may not be 0 when `maxSurge` is 0",
        ),
        (
            {"rollingUpdate": {"maxUnavailable": "150%"}},
            'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "150%": '
            "must not be greater than 100%",
        ),
    ],
)
def test_a_bad_strategy_says_what_is_wrong(
    refusals: Refusals, strategy: dict[str, Any], said: str
) -> None:
    assert refusals("deployments.apps", spec={**SPEC, "strategy": strategy}) == [said]


def test_a_deployment_has_to_progress_after_it_is_ready(refusals: Refusals) -> None:
    spec = {**SPEC, "minReadySeconds": 600}
    assert refusals("deployments.apps", spec=spec) == [
        "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"
    ]


def test_claim_templates_are_volumes_of_a_stateful_set(refusals: Refusals) -> None:
    container = {
        "name": "c",
        "image": "web",
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    template = {**TEMPLATE, "spec": {"containers": [container]}}
    claims = [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]
    spec = {**SPEC, "template": template, "volumeClaimTemplates": claims}
    assert refusals("statefulsets.apps", spec=spec) == []


def test_a_stateful_set_changes_little(change_refusals: Refusals) -> None:
    old = {"spec": SPEC}
    assert change_refusals("statefulsets.apps", old, {"spec": {**SPEC, "replicas": 3}}) == []
    (said,) = change_refusals("statefulsets.apps", old, {"spec": {**SPEC, "serviceName": "x"}})
    assert said.startswith("spec: Forbidden: updates to statefulset spec for fields other than")


class TestJobs:
    def test_a_job_that_ends_is_taken(self, refusals: Refusals) -> None:
        assert refusals("jobs.batch", spec=once()) == []

    def test_a_job_cannot_restart_for_ever(self, refusals: Refusals) -> None:
        assert refusals("jobs.batch", spec={"template": TEMPLATE}) == [
            'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'
        ]

    def test_the_template_of_a_running_job_stays(self, change_refusals: Refusals) -> None:
        def changed(suspended: bool) -> list[str]:
            old = {"spec": {**once(), "manualSelector": True, "suspend": suspended, **chosen}}
            new = {**old["spec"], "template": other}
            return change_refusals("jobs.batch", old, {"spec": new})

        chosen = {"selector": {"matchLabels": {"app": "web"}}}
        labels = {"metadata": {"labels": {"app": "web"}}}
        chosen["template"] = {**once()["template"], **labels}
        spec = {**once()["template"]["spec"], "activeDeadlineSeconds": 5}
        other = {**labels, "spec": spec}
        (said,) = changed(suspended=False)
        assert said.startswith("spec.template: Invalid value: ")
        assert said.endswith(": field is immutable")
        assert changed(suspended=True) == []

    @pytest.mark.parametrize(
        ("schedule", "said"),
        [
            ("", ["spec.schedule: Required value"]),
            (
                "* * *",
                [
                    'spec.schedule: Invalid value: "* * *": '
                    "expected exactly 5 fields, found 3: [* * *]"
                ],
            ),
            ("*/5 1-3 * * MON", []),
            ("@daily", []),
        ],
    )
    def test_schedules(self, refusals: Refusals, schedule: str, said: list[str]) -> None:
        spec = {"schedule": schedule, "jobTemplate": {"spec": once()}}
        assert refusals("cronjobs.batch", spec=spec) == said

    @pytest.mark.parametrize("zone", ["Nowhere/Else", "", "../etc/passwd", "Etc"])
    def test_unknown_time_zones(self, refusals: Refusals, zone: str) -> None:
        spec = {"schedule": "@daily", "timeZone": zone, "jobTemplate": {"spec": once()}}
        assert refusals("cronjobs.batch", spec=spec) == [
            f'spec.timeZone: Invalid value: "{zone}": unknown time zone {zone}'
        ]
        assert refusals("cronjobs.batch", spec={**spec, "timeZone": "UTC"}) == []
