"""Defaults of workloads and of the smaller kinds."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from pilotfish.apiserver.defaulting import apply_defaults
from pilotfish.objects.resources import resource


def defaulted(kind: str, **fields: Any) -> dict[str, Any]:
    obj: dict[str, Any] = {"metadata": {"name": "a"}, **fields}
    apply_defaults(resource(kind), obj)
    return obj


def test_a_deployment_rolls_a_quarter_at_a_time() -> None:
    assert defaulted("deployments.apps")["spec"] == {
        "replicas": 1,
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
        },
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    }


def test_a_recreating_deployment_has_no_rolling_update() -> None:
    spec = defaulted("deployments.apps", spec={"strategy": {"type": "Recreate"}})["spec"]
    assert spec["strategy"] == {"type": "Recreate"}


def test_no_replicas_stay_no_replicas() -> None:
    assert defaulted("deployments.apps", spec={"replicas": 0})["spec"]["replicas"] == 0


def test_a_stateful_set_starts_in_order_and_keeps_its_claims() -> None:
    spec = defaulted("statefulsets.apps")["spec"]
    assert spec["podManagementPolicy"] == "OrderedReady"
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    assert spec["persistentVolumeClaimRetentionPolicy"] == {
        "whenDeleted": "Retain",
        "whenScaled": "Retain",
    }


def test_a_daemon_set_replaces_one_at_a_time() -> None:
    spec = defaulted("daemonsets.apps")["spec"]
    assert spec["updateStrategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}


def test_a_job_runs_once_and_a_work_queue_has_no_completions() -> None:
    assert defaulted("jobs.batch")["spec"]["completions"] == 1
    queue = defaulted("jobs.batch", spec={"parallelism": 3})["spec"]
    assert "completions" not in queue
    assert queue["backoffLimit"] == 6


def test_a_cron_job_keeps_a_short_history() -> None:
    spec = defaulted("cronjobs.batch")["spec"]
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 1)


def test_a_replication_controller_takes_selector_and_labels_from_its_template() -> None:
    template = {"metadata": {"labels": {"a": "b"}}}
    obj = defaulted("replicationcontrollers", spec={"template": template})
    assert obj["spec"]["selector"] == {"a": "b"}
    assert obj["metadata"]["labels"] == {"a": "b"}


def test_a_namespace_carries_its_name_as_a_label() -> None:
    labels = defaulted("namespaces")["metadata"]["labels"]
    assert labels == {"kubernetes.io/metadata.name": "a"}


def test_ports_of_endpoints_and_slices_are_tcp() -> None:
    endpoints = defaulted("endpoints", subsets=[{"ports": [{"port": 80}]}])
    assert endpoints["subsets"][0]["ports"] == [{"port": 80, "protocol": "TCP"}]
    piece = defaulted("endpointslices.discovery.k8s.io", ports=[{"port": 80}])
    assert piece["ports"] == [{"port": 80, "name": "", "protocol": "TCP"}]


def test_plain_text_of_a_secret_becomes_data() -> None:
    secret = defaulted("secrets", data={"a": "eA=="}, stringData={"b": "grüß"})
    assert "stringData" not in secret
    assert secret["data"]["a"] == "eA=="
    assert b64decode(secret["data"]["b"]).decode() == "grüß"


def test_a_secret_is_opaque() -> None:
    assert defaulted("secrets")["type"] == "Opaque"


def test_a_network_policy_is_about_ingress_unless_it_names_egress() -> None:
    kind = "networkpolicies.networking.k8s.io"
    assert defaulted(kind)["spec"]["policyTypes"] == ["Ingress"]
    assert defaulted(kind, spec={"egress": [{}]})["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_a_binding_means_rbac_roles_and_users() -> None:
    obj = defaulted(
        "rolebindings.rbac.authorization.k8s.io",
        roleRef={"kind": "Role", "name": "r"},
        subjects=[{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}],
    )
    assert obj["roleRef"]["apiGroup"] == "rbac.authorization.k8s.io"
    assert [subject.get("apiGroup") for subject in obj["subjects"]] == [
        "rbac.authorization.k8s.io",
        None,
    ]


def test_all_of_a_nodes_capacity_is_allocatable() -> None:
    node = defaulted("nodes", status={"capacity": {"cpu": "2"}})
    assert node["status"]["allocatable"] == {"cpu": "2"}


def test_an_autoscaler_aims_at_four_fifths_of_the_cpu_in_either_version() -> None:
    kind = "horizontalpodautoscalers.autoscaling"
    assert defaulted(kind, apiVersion="autoscaling/v1")["spec"] == {
        "minReplicas": 1,
        "targetCPUUtilizationPercentage": 80,
    }
    target = {"type": "Utilization", "averageUtilization": 80}
    assert defaulted(kind, apiVersion="autoscaling/v2")["spec"]["metrics"] == [
        {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    ]
