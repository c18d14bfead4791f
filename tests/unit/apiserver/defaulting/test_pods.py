"""What Pods and pod templates get where a manifest says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.apiserver.defaulting import apply_defaults
from pilotfish.objects.resources import resource


def pod(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "web:1", **(container or {})}]
    obj = {"metadata": {"name": "p"}, "spec": {"containers": containers, **spec}}
    apply_defaults(resource("pods"), obj)
    return obj["spec"]


def test_a_pod_gets_the_documented_defaults() -> None:
    spec = pod()
    assert {key: value for key, value in spec.items() if key != "containers"} == {
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
        "enableServiceLinks": True,
    }
    assert spec["containers"] == [
        {
            "name": "c",
            "image": "web:1",
            "imagePullPolicy": "IfNotPresent",
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "resources": {},
        }
    ]


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("web", "Always"),
        ("web:latest", "Always"),
        ("web:1.0", "IfNotPresent"),
        ("registry:5000/web", "Always"),
        ("registry:5000/web:1.0", "IfNotPresent"),
        ("web@sha256:aa", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert pod({"image": image})["containers"][0]["imagePullPolicy"] == policy


def test_probes_get_their_timing_and_http_its_path() -> None:
    container = pod({"readinessProbe": {"httpGet": {"port": 80}}})["containers"][0]
    assert container["readinessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


def test_a_limit_without_request_is_the_request_too() -> None:
    resources = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}
    container = pod({"resources": resources})["containers"][0]
    assert container["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("written", "canonical"),
    [("1000m", "1"), ("0.5", "500m"), (2, "2"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi")],
)
def test_quantities_become_canonical(written: Any, canonical: str) -> None:
    container = pod({"resources": {"limits": {"cpu": written}}})["containers"][0]
    assert container["resources"]["limits"]["cpu"] == canonical


def test_ports_are_tcp_and_on_the_host_network_the_hosts() -> None:
    container = pod({"ports": [{"containerPort": 80}]}, hostNetwork=True)["containers"][0]
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP", "hostPort": 80}]


def test_volumes_without_source_are_empty_folders_and_files_have_a_mode() -> None:
    spec = pod(volumes=[{"name": "a"}, {"name": "b", "configMap": {"name": "c"}}])
    assert spec["volumes"] == [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "configMap": {"name": "c", "defaultMode": 0o644}},
    ]


def test_field_references_are_of_v1() -> None:
    env = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
    container = pod({"env": env})["containers"][0]
    assert container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"


def test_both_names_of_the_service_account_are_alike() -> None:
    spec = pod(serviceAccount="robot")
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("robot", "robot")


def test_templates_are_not_given_what_only_pods_get() -> None:
    template = {"spec": {"containers": [{"name": "c", "image": "web"}]}}
    obj = {"metadata": {"name": "r"}, "spec": {"template": template}}
    apply_defaults(resource("replicasets.apps"), obj)
    assert obj["spec"]["replicas"] == 1
    spec = obj["spec"]["template"]["spec"]
    assert spec["restartPolicy"] == "Always"
    assert "enableServiceLinks" not in spec
