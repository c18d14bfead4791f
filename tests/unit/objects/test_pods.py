"""Readiness, addresses and ports of Pods, and conditions in a status."""

from __future__ import annotations

from pilotfish.objects.conditions import set_condition
from pilotfish.objects.meta import Object
from pilotfish.objects.pods import is_ready, pod_ips, target_port

POD: Object = {
    "spec": {
        "containers": [
            {
                "name": "api",
                "ports": [
                    {"name": "web", "containerPort": 8080},
                    {"name": "web", "containerPort": 8081, "protocol": "UDP"},
                ],
            }
        ],
        "initContainers": [
            {"name": "once", "ports": [{"name": "early", "containerPort": 1}]},
            {
                "name": "mesh",
                "restartPolicy": "Always",
                "ports": [{"name": "mesh", "containerPort": 15000}],
            },
        ],
    },
    "status": {"podIP": "10.244.0.5", "podIPs": [{"ip": "10.244.0.5"}, {"ip": "fd00::5"}]},
}


def test_a_named_port_is_found_by_name_and_protocol() -> None:
    assert target_port({"port": 80, "targetPort": "web"}, POD) == 8080
    assert target_port({"port": 80, "targetPort": "web", "protocol": "UDP"}, POD) == 8081


def test_a_named_port_of_a_sidecar_is_found_and_of_an_init_container_is_not() -> None:
    assert target_port({"port": 80, "targetPort": "mesh"}, POD) == 15000
    assert target_port({"port": 80, "targetPort": "early"}, POD) is None


def test_without_target_port_the_services_own_port_is_used() -> None:
    assert target_port({"port": 80}, POD) == 80


def test_the_addresses_of_a_pod_come_primary_first() -> None:
    assert pod_ips(POD) == ["10.244.0.5", "fd00::5"]
    assert pod_ips({"status": {"podIP": "10.244.0.6"}}) == ["10.244.0.6"]
    assert pod_ips({}) == []


def test_a_condition_keeps_its_transition_time_while_its_status_stays() -> None:
    conditions: list[Object] = []
    assert set_condition(conditions, "Ready", "True")
    conditions[0]["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    assert not set_condition(conditions, "Ready", "True")
    assert set_condition(conditions, "Ready", "True", "Checked")
    assert conditions[0]["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    assert set_condition(conditions, "Ready", "False", "Broken", "it broke")
    assert conditions[0]["lastTransitionTime"] != "2026-01-01T00:00:00Z"
    assert set_condition(conditions, "Ready", "True")
    assert "reason" not in conditions[0]
    assert is_ready({"status": {"conditions": conditions}})
