"""The default roles."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.connect.rights import ENTRIES, PACKETS
from pilotfish.apiserver.rbac.aggregation import aggregated_rules
from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.apiserver.rbac.policy import cluster_role_bindings, cluster_roles
from pilotfish.apiserver.rbac.rules import allows
from pilotfish.apiserver.validation.registry import validate_create
from pilotfish.objects.meta import Object, name_of
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
