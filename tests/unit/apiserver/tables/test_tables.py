"""Rows of the other kinds under their columns."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.apiserver.tables import table
from pilotfish.objects.resources import RESOURCES, resource

Object = dict[str, Any]
OLD = "2000-01-01T00:00:00Z"


def row(kind: str, **fields: Any) -> Object:
    fields["metadata"] = {"name": "a", "creationTimestamp": OLD, **fields.get("metadata", {})}
    answer = table(resource(kind), [fields])
    names = [column["name"] for column in answer["columnDefinitions"]]
    return dict(zip(names, answer["rows"][0]["cells"], strict=True))


@pytest.mark.parametrize("kind", RESOURCES, ids=lambda kind: kind.full_name)
def test_every_kind_prints_a_bare_object(kind: Any) -> None:
    answer = table(kind, [{"metadata": {"name": "a", "creationTimestamp": OLD}}])
    (printed,) = answer["rows"]
    assert len(printed["cells"]) == len(answer["columnDefinitions"])
    assert None not in printed["cells"]


def test_wide_columns_are_marked_and_the_name_is_known() -> None:
    definitions = table(resource("services"), [])["columnDefinitions"]
    assert [column["priority"] for column in definitions] == [0, 0, 0, 0, 0, 0, 1]
    assert definitions[0]["format"] == "name"


class TestServices:
    @pytest.mark.parametrize(
        ("spec", "status", "shown"),
        [
            ({"type": "ClusterIP", "clusterIP": "10.96.0.9"}, {}, ("10.96.0.9", "<none>")),
            ({"type": "ClusterIP", "clusterIP": "None"}, {}, ("None", "<none>")),
            ({"type": "ExternalName", "externalName": "a.b"}, {}, ("<none>", "a.b")),
            (
                {"type": "NodePort", "clusterIP": "1.1.1.1", "externalIPs": ["2.2.2.2"]},
                {},
                ("1.1.1.1", "2.2.2.2"),
            ),
            ({"type": "LoadBalancer", "clusterIP": "1.1.1.1"}, {}, ("1.1.1.1", "<pending>")),
            (
                {"type": "LoadBalancer", "clusterIP": "1.1.1.1"},
                {"loadBalancer": {"ingress": [{"ip": "3.3.3.3"}, {"hostname": "lb"}]}},
                ("1.1.1.1", "3.3.3.3,lb"),
            ),
        ],
    )
    def test_addresses(self, spec: Object, status: Object, shown: tuple[str, str]) -> None:
        cells = row("services", spec=spec, status=status)
        assert (cells["Cluster-IP"], cells["External-IP"]) == shown

    def test_ports_and_selector(self) -> None:
        ports = [
            {"port": 80, "nodePort": 30080, "protocol": "TCP"},
            {"port": 53, "protocol": "UDP"},
        ]
        cells = row("services", spec={"ports": ports, "selector": {"b": "2", "a": "1"}})
        assert cells["Port(s)"] == "80:30080/TCP,53/UDP"
        assert cells["Selector"] == "a=1,b=2"
        assert row("services")["Port(s)"] == "<none>"


class TestEndpoints:
    def test_the_first_three_are_shown(self) -> None:
        addresses = [{"ip": f"10.0.0.{number}"} for number in range(1, 6)]
        subset = {"addresses": addresses, "ports": [{"port": 80}]}
        cells = row("endpoints", subsets=[subset])
        assert cells["Endpoints"] == "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more..."
        assert row("endpoints")["Endpoints"] == "<none>"

    def test_slices(self) -> None:
        cells = row(
            "endpointslices.discovery.k8s.io",
            addressType="IPv4",
            ports=[{"port": 80}, {"name": "x"}],
            endpoints=[{"addresses": ["10.0.0.1"]}],
        )
        assert (cells["Ports"], cells["Endpoints"]) == ("80,x", "10.0.0.1")
        assert row("endpointslices.discovery.k8s.io")["Ports"] == "<unset>"


class TestNodes:
    def node(self, ready: str = "True", **spec: Any) -> Object:
        return row(
            "nodes",
            metadata={"labels": {"node-role.kubernetes.io/control-plane": ""}},
            spec=spec,
            status={
                "conditions": [{"type": "Ready", "status": ready}],
                "addresses": [{"type": "InternalIP", "address": "192.168.64.2"}],
                "nodeInfo": {"kubeletVersion": "v1.37.0", "osImage": "Debian"},
            },
        )

    def test_a_ready_node(self) -> None:
        cells = self.node()
        assert cells["Status"] == "Ready"
        assert cells["Roles"] == "control-plane"
        assert cells["Version"] == "v1.37.0"
        assert cells["Internal-IP"] == "192.168.64.2"
        assert cells["External-IP"] == "<none>"
        assert cells["OS-Image"] == "Debian"
        assert cells["Kernel-Version"] == "<unknown>"

    def test_nodes_that_take_no_pods(self) -> None:
        assert self.node(unschedulable=True)["Status"] == "Ready,SchedulingDisabled"
        assert self.node(ready="Unknown")["Status"] == "NotReady"
        assert row("nodes")["Status"] == "Unknown"


TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]}}


def test_replica_sets() -> None:
    cells = row(
        "replicasets.apps",
        spec={"replicas": 3, "template": TEMPLATE, "selector": {"matchLabels": {"app": "web"}}},
        status={"replicas": 2, "readyReplicas": 1},
    )
    assert (cells["Desired"], cells["Current"], cells["Ready"]) == (3, 2, 1)
    assert (cells["Containers"], cells["Images"]) == ("a,b", "x,y")
    assert cells["Selector"] == "app=web"


def test_selectors_with_expressions() -> None:
    expressions = [
        {"key": "tier", "operator": "In", "values": ["b", "a"]},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    selector = {"matchLabels": {"app": "web"}, "matchExpressions": expressions}
    cells = row("deployments.apps", spec={"replicas": 1, "selector": selector})
    assert cells["Selector"] == "app=web,!old,tier in (a,b)"


def test_deployments() -> None:
    status = {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 2}
    cells = row("deployments.apps", spec={"replicas": 3}, status=status)
    assert (cells["Ready"], cells["Up-to-date"], cells["Available"]) == ("2/3", 3, 2)


def test_jobs() -> None:
    complete = {"type": "Complete", "status": "True"}
    status = {
        "succeeded": 1,
        "conditions": [complete],
        "startTime": "2026-01-01T00:00:00Z",
        "completionTime": "2026-01-01T00:02:30Z",
    }
    cells = row("jobs.batch", spec={"completions": 1}, status=status)
    assert (cells["Status"], cells["Completions"], cells["Duration"]) == (
        "Complete",
        "1/1",
        "2m30s",
    )
    assert row("jobs.batch", spec={"parallelism": 3})["Completions"] == "0/1 of 3"


def test_events_of_both_groups() -> None:
    target = {"kind": "Pod", "name": "p"}
    old = row("events", involvedObject=target, message=" hi ", count=4, type="Normal", reason="R")
    new = row("events.events.k8s.io", regarding=target, note="hi", type="Normal", reason="R")
    for cells in (old, new):
        assert (cells["Object"], cells["Message"]) == ("pod/p", "hi")
    assert (old["Count"], new["Count"]) == (4, 1)


def test_configuration() -> None:
    assert row("configmaps", data={"a": "b"}, binaryData={"c": ""})["Data"] == 2
    assert row("secrets", type="Opaque", data={"a": ""})["Type"] == "Opaque"


def test_ingresses() -> None:
    rules = [{"host": f"{name}.x"} for name in "abcd"]
    cells = row("ingresses.networking.k8s.io", spec={"rules": rules, "tls": [{}]})
    assert cells["Hosts"] == "a.x,b.x,c.x + 1 more..."
    assert cells["Ports"] == "80, 443"
    assert cells["Class"] == "<none>"


def test_volumes_and_claims() -> None:
    claim = row(
        "persistentvolumeclaims",
        spec={"volumeName": "v", "volumeMode": "Filesystem"},
        status={"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]},
    )
    assert (claim["Status"], claim["Capacity"], claim["Access Modes"]) == ("Bound", "1Gi", "RWO")
    volume = row("persistentvolumes", spec={"claimRef": {"namespace": "n", "name": "c"}})
    assert volume["Claim"] == "n/c"


def test_bindings_name_their_subjects() -> None:
    subjects = [
        {"kind": "User", "name": "u"},
        {"kind": "ServiceAccount", "name": "s", "namespace": "n"},
    ]
    cells = row(
        "rolebindings.rbac.authorization.k8s.io",
        roleRef={"kind": "Role", "name": "r"},
        subjects=subjects,
    )
    assert (cells["Role"], cells["Users"], cells["ServiceAccounts"]) == ("Role/r", "u", "n/s")


def test_kinds_without_columns_of_their_own_show_name_and_age() -> None:
    assert set(row("csistoragecapacities.storage.k8s.io")) == {"Name", "Age"}
