"""The default roles."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.connect.rights import ENTRIES, PACKETS
from pilotfish.apiserver.rbac.aggregation import aggregated_rules
from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.apiserver.rbac.policy import (
    cluster_role_bindings,
    cluster_roles,
    role_bindings,
)
from pilotfish.apiserver.rbac.policy import roles as namespaced_roles
from pilotfish.apiserver.rbac.rules import allows
from pilotfish.apiserver.validation.registry import validate_create
from pilotfish.objects.meta import Object, key_of, name_of, namespace_of
from pilotfish.objects.resources import resource

GET_PODS = Attributes("get", "", "pods", namespace="a")
GET_SECRETS = Attributes("get", "", "secrets", namespace="a")
WRITE_PODS = Attributes("create", "", "pods", namespace="a")
WRITE_ROLES = Attributes("create", "rbac.authorization.k8s.io", "roles", namespace="a")
READ_NODES = Attributes("list", "", "nodes")


def complete_roles() -> dict[str, Object]:
    roles = cluster_roles()
    for role in reversed(roles):
        if "aggregationRule" in role:
            role["rules"] = aggregated_rules(role, roles)
    return {name_of(role): role for role in roles}


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("view", {GET_PODS}),
        ("edit", {GET_PODS, GET_SECRETS, WRITE_PODS}),
        ("admin", {GET_PODS, GET_SECRETS, WRITE_PODS, WRITE_ROLES}),
        ("cluster-admin", {GET_PODS, GET_SECRETS, WRITE_PODS, WRITE_ROLES, READ_NODES}),
        ("system:basic-user", set()),
    ],
)
def test_each_role_has_what_the_one_below_has_and_more(name: str, allowed: set[Attributes]) -> None:
    rules = complete_roles()[name]["rules"]
    everything = {GET_PODS, GET_SECRETS, WRITE_PODS, WRITE_ROLES, READ_NODES}
    found = {asked for asked in everything if any(allows(rule, asked) for rule in rules)}
    assert found == allowed


EXEC_BY_KUBELET = Attributes("create", "", "nodes", "proxy", "", "node-1")


def test_who_views_traffic_has_nothing_of_a_kubelets() -> None:
    roles = complete_roles()
    asked = (ENTRIES, PACKETS, READ_NODES, EXEC_BY_KUBELET, EXEC_BY_KUBELET._replace(verb="get"))
    found = {
        name: [any(allows(rule, each) for rule in roles[name]["rules"]) for each in asked]
        for name in ("system:pilotfish:traffic-viewer", "system:pilotfish:packet-viewer", "admin")
    }
    assert found == {
        "system:pilotfish:traffic-viewer": [True, False, True, False, False],
        "system:pilotfish:packet-viewer": [True, True, True, False, False],
        "admin": [False, False, False, False, False],
    }


def test_every_default_is_valid_and_every_binding_has_its_role() -> None:
    roles = complete_roles()
    for role in roles.values():
        kind = resource("clusterroles.rbac.authorization.k8s.io")
        assert validate_create(kind, role) == []
    for binding in cluster_role_bindings():
        kind = resource("clusterrolebindings.rbac.authorization.k8s.io")
        assert validate_create(kind, binding) == []
        assert binding["roleRef"]["name"] in roles


def test_every_default_of_a_namespace_is_valid_and_every_binding_has_its_role() -> None:
    found = {key_of(role): role for role in namespaced_roles()}
    for role in found.values():
        assert validate_create(resource("roles.rbac.authorization.k8s.io"), role) == []
    for binding in role_bindings():
        assert validate_create(resource("rolebindings.rbac.authorization.k8s.io"), binding) == []
        assert f"{namespace_of(binding)}/{binding['roleRef']['name']}" in found


def test_every_controller_of_kubernetes_has_its_account_and_role() -> None:
    bound = {name_of(binding): binding for binding in cluster_role_bindings()}
    for name in ("deployment-controller", "generic-garbage-collector", "job-controller"):
        binding = bound[f"system:controller:{name}"]
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": name, "namespace": "kube-system"}
        ]
    roles = complete_roles()
    asked = Attributes("create", "", "pods", namespace="a")
    can_create_pods = {
        name.removeprefix("system:controller:")
        for name, role in roles.items()
        if name.startswith("system:controller:")
        and any(allows(rule, asked) for rule in role["rules"])
    }
    assert can_create_pods == {
        "daemon-set-controller",
        "job-controller",
        "persistent-volume-binder",
        "replicaset-controller",
        "replication-controller",
        "statefulset-controller",
    }
