"""What a request may change of an object, and what the API server decides itself."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from pilotfish.apiserver.defaulting import apply_defaults
from pilotfish.apiserver.strategy import prepare_for_create, prepare_for_update
from pilotfish.objects.resources import resource

Object = dict[str, Any]


def created(kind: str, **fields: Any) -> Object:
    obj: Object = {"metadata": {"name": "a", "uid": "u1"}, **fields}
    apply_defaults(resource(kind), obj)
    prepare_for_create(resource(kind), obj)
    return obj


def updated(kind: str, old: Object, subresource: str = "", **fields: Any) -> Object:
    new = {**deepcopy(old), **fields}
    apply_defaults(resource(kind), new)
    prepare_for_update(resource(kind), new, old, subresource)
    return new


def container(**fields: Any) -> Object:
    return {"name": "c", "image": "web", **fields}


def test_a_status_given_on_create_is_dropped() -> None:
    obj = created("replicasets.apps", spec={}, status={"replicas": 7})
    assert obj["status"] == {"replicas": 0}


def test_a_node_registers_with_its_status() -> None:
    node = created("nodes", status={"addresses": [{"type": "InternalIP", "address": "1.2.3.4"}]})
    assert node["status"]["addresses"]


def test_generations_start_at_one_and_follow_the_spec() -> None:
    old = created("replicasets.apps", spec={"replicas": 1})
    assert old["metadata"]["generation"] == 1
    assert updated("replicasets.apps", old)["metadata"]["generation"] == 1
    assert updated("replicasets.apps", old, spec={"replicas": 2})["metadata"]["generation"] == 2


def test_a_deployments_annotations_make_a_generation_too() -> None:
    old = created("deployments.apps", spec={})
    metadata = {**old["metadata"], "annotations": {"a": "b"}}
    assert updated("deployments.apps", old, metadata=metadata)["metadata"]["generation"] == 2


def test_services_count_no_generations() -> None:
    obj = created("services", metadata={"name": "a", "generation": 3}, spec={})
    assert "generation" not in obj["metadata"]


def test_an_update_of_the_object_keeps_its_status() -> None:
    old = created("replicasets.apps", spec={})
    new = updated("replicasets.apps", old, spec={"replicas": 3}, status={"replicas": 9})
    assert new["status"] == {"replicas": 0}
    assert new["spec"]["replicas"] == 3


def test_an_update_of_the_status_changes_nothing_else() -> None:
    old = created("replicasets.apps", spec={"replicas": 1})
    new = updated("replicasets.apps", old, "status", spec={"replicas": 5}, status={"replicas": 1})
    assert new["spec"] == old["spec"]
    assert new["status"] == {"replicas": 1}
    assert new["metadata"]["generation"] == 1


def test_leaving_out_identity_is_no_change_of_it() -> None:
    old = created("configmaps")
    old["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    new = updated("configmaps", old, metadata={"name": "a"})
    assert new["metadata"] == old["metadata"]


def test_a_namespace_is_active_and_holds_a_finalizer() -> None:
    namespace = created("namespaces")
    assert namespace["status"] == {"phase": "Active"}
    assert namespace["spec"] == {"finalizers": ["kubernetes"]}
    assert updated("namespaces", namespace, spec={"finalizers": []})["spec"] == namespace["spec"]


def test_a_job_selects_its_pods_by_its_uid() -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [container()]}}
    spec = created("jobs.batch", spec={"template": template})["spec"]
    assert spec["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u1"}}
    assert spec["template"]["metadata"]["labels"]["job-name"] == "a"


class TestPods:
    def test_a_pod_is_pending(self) -> None:
        pod = created("pods", spec={"containers": [container()]}, status={"phase": "Running"})
        assert pod["status"] == {"phase": "Pending", "qosClass": "BestEffort"}

    @pytest.mark.parametrize(
        ("resources", "expected"),
        [
            ({}, "BestEffort"),
            ({"limits": {"cpu": "1"}}, "Burstable"),
            ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
            (
                {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}},
                "Burstable",
            ),
            ({"limits": {"cpu": "1000m", "memory": "1Gi"}, "requests": {"cpu": 1}}, "Guaranteed"),
        ],
    )
    def test_the_class_of_service_follows_the_resources(
        self, resources: Object, expected: str
    ) -> None:
        pod = created("pods", spec={"containers": [container(resources=resources)]})
        assert pod["status"]["qosClass"] == expected

    def test_a_token_is_mounted_into_every_container(self) -> None:
        spec = created("pods", spec={"containers": [container()]})["spec"]
        (volume,) = spec["volumes"]
        assert volume["name"].startswith("kube-api-access-")
        assert spec["containers"][0]["volumeMounts"] == [
            {
                "name": volume["name"],
                "readOnly": True,
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            }
        ]
        assert spec["serviceAccountName"] == "default"

    def test_no_token_is_mounted_where_it_is_not_wanted(self) -> None:
        spec = {"containers": [container()], "automountServiceAccountToken": False}
        assert "volumes" not in created("pods", spec=spec)["spec"]

    def test_a_container_with_a_mount_of_its_own_there_keeps_it(self) -> None:
        mount = {"name": "t", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
        spec = {"containers": [container(volumeMounts=[mount])]}
        assert created("pods", spec=spec)["spec"]["containers"][0]["volumeMounts"] == [mount]

    def test_failing_nodes_are_tolerated_for_five_minutes(self) -> None:
        spec = created("pods", spec={"containers": [container()]})["spec"]
        assert [(t["key"], t["tolerationSeconds"]) for t in spec["tolerations"]] == [
            ("node.kubernetes.io/not-ready", 300),
            ("node.kubernetes.io/unreachable", 300),
        ]

    def test_who_tolerates_everything_gets_no_more_tolerations(self) -> None:
        spec = {"containers": [container()], "tolerations": [{"operator": "Exists"}]}
        assert created("pods", spec=spec)["spec"]["tolerations"] == [{"operator": "Exists"}]

    def test_the_system_has_priority(self) -> None:
        spec = {"containers": [container()], "priorityClassName": "system-node-critical"}
        assert created("pods", spec=spec)["spec"]["priority"] == 2000001000
        assert created("pods", spec={"containers": [container()]})["spec"]["priority"] == 0


class TestServices:
    def service(self, kind: str, **spec: Any) -> Object:
        old = created("services", spec={"type": kind, "ports": [{"port": 80}], **spec})
        if kind != "ExternalName":
            old["spec"] |= {"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"]}
        if kind in ("NodePort", "LoadBalancer"):
            old["spec"]["ports"][0]["nodePort"] = 30080
        return old

    def retyped(self, old: Object, kind: str, **spec: Any) -> Object:
        return updated("services", old, spec={**deepcopy(old["spec"]), "type": kind, **spec})

    def test_a_manifest_without_addresses_keeps_them(self) -> None:
        old = self.service("NodePort")
        new = updated("services", old, spec={"type": "NodePort", "ports": [{"port": 80}]})
        assert new["spec"]["clusterIP"] == "10.96.0.9"
        assert new["spec"]["clusterIPs"] == ["10.96.0.9"]
        assert new["spec"]["ports"][0]["nodePort"] == 30080

    def test_a_node_port_that_moved_to_another_port_is_not_given_twice(self) -> None:
        old = self.service("NodePort")
        ports = [{"port": 80, "name": "a"}, {"port": 81, "name": "b", "nodePort": 30080}]
        new = updated("services", old, spec={"type": "NodePort", "ports": ports})
        assert "nodePort" not in new["spec"]["ports"][0]

    def test_becoming_cluster_ip_drops_node_ports_and_the_external_policy(self) -> None:
        spec = self.retyped(self.service("NodePort"), "ClusterIP")["spec"]
        assert "nodePort" not in spec["ports"][0]
        assert "externalTrafficPolicy" not in spec
        assert spec["clusterIP"] == "10.96.0.9"

    def test_becoming_node_port_keeps_the_node_ports_of_a_load_balancer(self) -> None:
        old = self.service("LoadBalancer")
        old["status"] = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}
        new = self.retyped(old, "NodePort")
        assert new["spec"]["ports"][0]["nodePort"] == 30080
        assert "allocateLoadBalancerNodePorts" not in new["spec"]
        assert new["status"] == {"loadBalancer": {}}

    def test_becoming_external_drops_addresses_and_families(self) -> None:
        spec = self.retyped(self.service("ClusterIP"), "ExternalName", externalName="x.y")["spec"]
        assert not spec.keys() & {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}

    def test_a_new_node_port_in_the_same_breath_is_not_dropped_silently(self) -> None:
        ports = [{"port": 80, "nodePort": 30099}]
        spec = self.retyped(self.service("NodePort"), "ClusterIP", ports=ports)["spec"]
        assert spec["ports"][0]["nodePort"] == 30099

    def test_changing_the_address_alone_changes_the_list_too(self) -> None:
        new = self.retyped(self.service("ClusterIP"), "ClusterIP", clusterIP="10.96.0.7")
        assert new["spec"]["clusterIPs"] == ["10.96.0.7"]
