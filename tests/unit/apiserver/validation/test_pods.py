"""Pods that are refused, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pilotfish.apiserver.strategy.registry import prepare_for_update
from pilotfish.apiserver.validation.pods import validate_update
from pilotfish.objects.resources import resource

Refusals = Callable[..., list[str]]
WEB = {"name": "c", "image": "web"}
READY = {"httpGet": {"port": 80}}


def test_a_pod_with_everything_is_taken(refusals: Refusals) -> None:
    container = {
        **WEB,
        "ports": [{"containerPort": 80, "name": "http"}],
        "env": [
            {"name": "A", "value": "b"},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "L", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a']"}}},
            {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}},
        ],
        "envFrom": [{"configMapRef": {"name": "m"}}],
        "volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "a/b"}],
        "resources": {"limits": {"cpu": 1, "example.com/gpu": 1}},
        "readinessProbe": {**READY, "successThreshold": 2},
        "livenessProbe": {"exec": {"command": ["true"]}},
        "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
    }
    spec = {
        "containers": [container],
        "initContainers": [{**WEB, "name": "i", "restartPolicy": "Always", "startupProbe": READY}],
        "volumes": [{"name": "v", "emptyDir": {}}, {"name": "h", "hostPath": {"path": "/x"}}],
        "tolerations": [{"operator": "Exists"}],
    }
    assert refusals("pods", spec=spec) == []


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, "spec.containers: Required value"),
        (
            {"containers": [WEB], "restartPolicy": "Sometimes"},
            'spec.restartPolicy: Unsupported value: "Sometimes": '
            'supported values: "Always", "Never", "OnFailure"',
        ),
        (
            {"containers": [WEB, {**WEB}]},
            'spec.containers[1].name: Duplicate value: "c"',
        ),
        (
            {"containers": [WEB], "volumes": [{"name": "v", "emptyDir": {}, "hostPath": {}}]},
            "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
        ),
        (
            {"containers": [WEB], "volumes": [{"name": "v", "configMap": {}}]},
            "spec.volumes[0].configMap.name: Required value",
        ),
        (
            {"containers": [WEB], "securityContext": {"runAsUser": -1}},
            "spec.securityContext.runAsUser: Invalid value: -1: "
            "must be between 0 and 2147483647, inclusive",
        ),
        (
            {
                "containers": [WEB],
                "affinity": {
                    "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}
                },
            },
            "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"
            ".topologyKey: Required value: can not be empty",
        ),
        (
            {
                "containers": [WEB],
                "affinity": {
                    "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}
                },
            },
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
            ".nodeSelectorTerms: Required value: must have at least one node selector term",
        ),
        (
            {
                "containers": [WEB],
                "topologySpreadConstraints": [
                    {"topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}
                ],
            },
            "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: "
            "must be greater than zero",
        ),
        (
            {"containers": [WEB], "tolerations": [{"operator": "Equal", "value": "x"}]},
            'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when '
            '`key` is empty, which means "match all values and all keys"',
        ),
        (
            {"containers": [WEB], "hostAliases": [{"ip": "x", "hostnames": ["a"]}]},
            'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, '
            "(e.g. 10.9.8.7 or 2001:db8::ffff)",
        ),
        (
            {"containers": [WEB], "dnsPolicy": "None"},
            "spec.dnsConfig.nameservers: Required value: "
            "must provide at least one DNS nameserver when `dnsPolicy` is None",
        ),
        (
            {"containers": [WEB], "activeDeadlineSeconds": 0},
            "spec.activeDeadlineSeconds: Invalid value: 0: "
            "must be between 1 and 2147483647, inclusive",
        ),
        (
            {
                "containers": [WEB],
                "initContainers": [{**WEB, "name": "i", "readinessProbe": READY}],
            },
            "spec.initContainers[0].readinessProbe: Forbidden: "
            "may not be set for init containers without restartPolicy=Always",
        ),
    ],
)
def test_a_bad_spec_says_what_is_wrong(refusals: Refusals, spec: dict[str, Any], said: str) -> None:
    assert refusals("pods", spec=spec) == [said]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"image": ""}, "image: Required value"),
        (
            {"image": " web"},
            'image: Invalid value: " web": must not have leading or trailing whitespace',
        ),
        (
            {"imagePullPolicy": "Often"},
            'imagePullPolicy: Unsupported value: "Often": '
            'supported values: "Always", "IfNotPresent", "Never"',
        ),
        ({"ports": [{"containerPort": 0}]}, "ports[0].containerPort: Required value"),
        (
            {"ports": [{"containerPort": 65536}]},
            "ports[0].containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive",
        ),
        (
            {"securityContext": {"seccompProfile": {"type": "Localhost"}}},
            "securityContext.seccompProfile.localhostProfile: Required value: "
            "must be set when seccomp type is Localhost",
        ),
        ({"livenessProbe": {}}, "livenessProbe: Required value: must specify a handler type"),
        (
            {"livenessProbe": {**READY, "tcpSocket": {"port": 80}}},
            "livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
        ),
        (
            {"livenessProbe": {**READY, "successThreshold": 2}},
            "livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            {"readinessProbe": {**READY, "periodSeconds": -1}},
            "readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            {"readinessProbe": {"exec": {}}},
            "readinessProbe.exec.command: Required value",
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/a"}]},
            'volumeMounts[0].name: Not found: "v"',
        ),
        (
            {"env": [{"name": "A", "value": "b", "valueFrom": {"fieldRef": {}}}]},
            'env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}]},
            "env[0].valueFrom.secretKeyRef.key: Required value",
        ),
        (
            {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}},
            'resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
        ),
        (
            {"resources": {"requests": {"memory": "-1"}}},
            'resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0',
        ),
    ],
)
def test_a_bad_container_says_what_is_wrong(
    refusals: Refusals, fields: dict[str, Any], said: str
) -> None:
    spec = {"containers": [{**WEB, **fields}]}
    assert refusals("pods", spec=spec) == [f"spec.containers[0].{said}"]


class TestUpdates:
    FAILING_NODES = (
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"},
        {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"},
    )

    def test_images_deadlines_and_more_tolerations_may_change(
        self, change_refusals: Refusals
    ) -> None:
        old = {"spec": {"containers": [WEB], "automountServiceAccountToken": False}}

        def changed(**fields: Any) -> list[str]:
            return self.change(change_refusals, old, fields)

        image = {"image": "web:2", "imagePullPolicy": "Always"}
        assert changed(containers=[{**WEB, **image}]) == []
        assert changed(activeDeadlineSeconds=5) == []
        tolerations = [*self.FAILING_NODES, {"key": "more", "operator": "Exists"}]
        assert changed(tolerations=tolerations) == []
        assert changed() == []

    def test_nothing_else_may_change(self, change_refusals: Refusals) -> None:
        old = {"spec": {"containers": [WEB], "automountServiceAccountToken": False}}
        (said,) = self.change(change_refusals, old, {"containers": [{**WEB, "args": ["x"]}]})
        assert said.startswith(
            "spec: Forbidden: pod updates may not change fields other than "
            "`spec.containers[*].image`,"
        )
        assert said.endswith("\n  \tspec.containers[0].args\n")

    def test_tolerations_may_not_be_dropped(self, change_refusals: Refusals) -> None:
        old = {"spec": {"containers": [WEB], "automountServiceAccountToken": False}}
        assert self.change(change_refusals, old, {"tolerations": []}) == [
            "spec.tolerations: Forbidden: existing toleration can not be modified except its "
            "tolerationSeconds"
        ]

    def test_metadata_may_change(self, change_refusals: Refusals) -> None:
        old = {"spec": {"containers": [WEB]}}
        metadata = {"name": "a", "namespace": "default", "labels": {"a": "b"}}
        assert change_refusals("pods", old, {"metadata": metadata}) == []

    def change(
        self, change_refusals: Refusals, old: dict[str, Any], fields: dict[str, Any]
    ) -> list[str]:
        stored = {
            "serviceAccountName": "default",
            "enableServiceLinks": True,
            **old["spec"],
        }
        return change_refusals("pods", {"spec": stored}, {"spec": {**stored, **fields}})


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ([{"name": "d", "image": "a"}, {"name": "e", "image": "b"}], None),
        ([{"name": "d", "image": "other"}], '"d" may not be changed'),
        ([], '"d" may not be removed'),
    ],
)
def test_ephemeral_containers_only_come(after: list[dict[str, Any]], said: str | None) -> None:
    before = {"spec": {"containers": [WEB], "ephemeralContainers": [{"name": "d", "image": "a"}]}}
    changed = {"spec": {"containers": [WEB], "ephemeralContainers": after}}
    causes = [cause.message for cause in validate_update(changed, before)]
    assert (said is None and causes == []) or (said is not None and said in causes[0])


def test_an_ordinary_update_leaves_ephemeral_containers_alone() -> None:
    old = {"metadata": {}, "spec": {"containers": [WEB]}, "status": {}}
    new = {"metadata": {}, "spec": {"containers": [WEB], "ephemeralContainers": [{"name": "d"}]}}
    prepare_for_update(resource("pods"), new, old)
    assert "ephemeralContainers" not in new["spec"]


def test_an_ordinary_update_takes_no_ephemeral_container_away() -> None:
    spec = {"containers": [WEB], "ephemeralContainers": [{"name": "d", "image": "a"}]}
    old = {"metadata": {}, "spec": spec, "status": {}}
    new = {"metadata": {}, "spec": {"containers": [WEB]}}
    prepare_for_update(resource("pods"), new, old)
    assert new["spec"]["ephemeralContainers"] == spec["ephemeralContainers"]


def test_sysctls_have_names_that_a_kernel_could_know(refusals: Refusals) -> None:
    def with_sysctls(*names: str, **spec: Any) -> dict[str, Any]:
        context = {"sysctls": [{"name": name, "value": "1"} for name in names]}
        return {"containers": [WEB], "securityContext": context, **spec}

    assert not refusals(
        "pods", spec=with_sysctls("kernel.shm_rmid_forced", "net/ipv4/tcp_syncookies")
    )
    for name in ("foo-", "kernel.shmmax.", "bar..", "A.b", "x" * 254):
        (told,) = refusals("pods", spec=with_sysctls(name))
        assert told.startswith("spec.securityContext.sysctls[0].name: Invalid value")
        assert "must have at most 253 characters and match regex" in told
    (told,) = refusals("pods", spec=with_sysctls("net/core/somaxconn", hostNetwork=True))
    assert "may not be specified when 'hostNetwork' is true" in told
    (told,) = refusals("pods", spec=with_sysctls("kernel.shmmax", hostIPC=True))
    assert "may not be specified when 'hostIPC' is true" in told


def test_an_unmasked_proc_needs_a_user_namespace(refusals: Refusals) -> None:
    container = {**WEB, "securityContext": {"procMount": "Unmasked"}}
    (told,) = refusals("pods", spec={"containers": [container]})
    assert told.startswith("spec.containers[0].securityContext.procMount: Invalid value")
    assert not refusals("pods", spec={"containers": [container], "hostUsers": False})
