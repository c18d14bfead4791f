"""Who may do what, through the API and with kubectl."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pilotfish.apiserver.rbac.rules import uncovered
from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError
from pilotfish.cluster import pki
from pilotfish.objects.meta import Object
from support.apiserver import RunningApiServer, running_api_server
from support.objects import config_map, pod
from support.rights import (
    BINDINGS,
    CLUSTER_BINDINGS,
    CLUSTER_ROLES,
    RBAC,
    ROLES,
    as_account,
    binding,
    role,
    rule,
)


async def refused(awaitable: Any) -> str:
    """The message of a request that is refused with 403."""
    with pytest.raises(ApiError) as refusal:
        await awaitable
    assert refusal.value.code == 403
    return refusal.value.message


async def test_who_has_no_role_may_do_nothing(server: RunningApiServer, client: Client) -> None:
    async with as_account(server, client) as robot:
        assert await refused(robot.list("pods", "default")) == (
            'pods is forbidden: User "system:serviceaccount:default:robot" cannot list resource '
            '"pods" in API group "" in the namespace "default"'
        )
        assert "cannot get path" in await refused(robot.request("GET", "/metrics"))
        assert (await robot.request("GET", "/version"))["major"] == "1"
        assert await robot.request("GET", "/apis")


async def test_a_role_counts_at_once_and_only_in_its_namespace(
    server: RunningApiServer, client: Client
) -> None:
    async with as_account(server, client) as robot:
        await client.create(ROLES, role("Role", "reader", rule("get list", "pods")))
        await refused(robot.list("pods", "default"))
        await client.create(BINDINGS, binding("RoleBinding", "b", "Role", "reader", "robot"))
        assert (await robot.list("pods", "default"))["items"] == []
        await refused(robot.list("pods", "kube-system"))
        await refused(robot.list("pods"))
        await refused(robot.create("pods", pod("a")))
        await client.delete(BINDINGS, "b", "default")
        await refused(robot.list("pods", "default"))


async def test_a_role_may_be_limited_to_names(server: RunningApiServer, client: Client) -> None:
    async with as_account(server, client) as robot:
        limited = rule("get list", "configmaps", resourceNames=["one"])
        await client.create(ROLES, role("Role", "reader", limited))
        await client.create(BINDINGS, binding("RoleBinding", "b", "Role", "reader", "robot"))
        for name in ("one", "two"):
            await client.create("configmaps", config_map(name))
        await robot.get("configmaps", "one", "default")
        assert await refused(robot.get("configmaps", "two", "default"))
        await refused(robot.list("configmaps", "default"))
        selected = await robot.list("configmaps", "default", field_selector="metadata.name=one")
        assert len(selected["items"]) == 1


async def test_a_subresource_needs_a_right_of_its_own(
    server: RunningApiServer, client: Client
) -> None:
    async with as_account(server, client) as robot:
        await client.create(ROLES, role("Role", "r", rule("get", "pods pods/exec")))
        await client.create(BINDINGS, binding("RoleBinding", "b", "Role", "r", "robot"))
        await client.create("pods", pod("a"))
        path = "/api/v1/namespaces/default/pods/a"
        message = await refused(robot.request("GET", f"{path}/log"))
        assert 'cannot get resource "pods/log"' in message
        # Running a command is no reading, whatever the method that opens its WebSocket.
        message = await refused(robot.request("GET", f"{path}/exec"))
        assert 'cannot create resource "pods/exec"' in message


async def test_nobody_gives_away_what_he_does_not_have(
    server: RunningApiServer, client: Client
) -> None:
    async with as_account(server, client) as robot:
        writer = role("Role", "writer", rule("*", "roles rolebindings", RBAC))
        writer["rules"] = [
            rule("create update patch get", "roles rolebindings", RBAC),
            rule("get", "pods"),
        ]
        await client.create(ROLES, writer)
        await client.create(BINDINGS, binding("RoleBinding", "b", "Role", "writer", "robot"))
        assert await robot.create(ROLES, role("Role", "mine", rule("get", "pods")))
        message = await refused(robot.create(ROLES, role("Role", "more", rule("get", "secrets"))))
        assert "is attempting to grant RBAC permissions not currently held:" in message
        assert message.endswith('{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}')
        patch = {"rules": [rule("get", "secrets")]}
        await refused(robot.patch(ROLES, "mine", patch, "default"))
        await robot.patch(ROLES, "mine", {"metadata": {"labels": {"a": "b"}}}, "default")
        admin = binding("RoleBinding", "grab", "ClusterRole", "cluster-admin", "robot")
        await refused(robot.create(BINDINGS, admin))
        # Who may bind a role need not have what it allows.
        may_bind = rule("bind", "clusterroles", RBAC, resourceNames=["cluster-admin"])
        await client.create(CLUSTER_ROLES, role("ClusterRole", "binder", may_bind))
        await client.create(
            CLUSTER_BINDINGS, binding("ClusterRoleBinding", "c", "ClusterRole", "binder", "robot")
        )
        await robot.create(BINDINGS, admin)
        assert await robot.list("secrets", "default")


async def test_roles_are_aggregated_by_label(server: RunningApiServer, client: Client) -> None:
    label = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    more = role("ClusterRole", "more", rule("get", "widgets", "example.com"))
    more["metadata"]["labels"] = label
    await client.create(CLUSTER_ROLES, more)
    async with asyncio.timeout(5):
        while True:
            admin = await client.get(CLUSTER_ROLES, "admin")
            if more["rules"][0] in admin["rules"]:
                break
            await asyncio.sleep(0.01)
    await client.delete(CLUSTER_ROLES, "more")
    async with asyncio.timeout(5):
        while True:
            admin = await client.get(CLUSTER_ROLES, "admin")
            if more["rules"][0] not in admin["rules"]:
                break
            await asyncio.sleep(0.01)


async def test_the_default_roles_are_there(server: RunningApiServer) -> None:
    names = await server.kubectl("get", "clusterroles", "-o", "name")
    for name in ("cluster-admin", "admin", "edit", "view", "system:node", "system:discovery"):
        assert f"clusterrole.rbac.authorization.k8s.io/{name}\n" in names
    shown = await server.kubectl("describe", "clusterrole", "view")
    assert "deployments.apps" in shown and "secrets" not in shown


async def test_kubectl_tells_what_one_may_do(server: RunningApiServer, client: Client) -> None:
    async with as_account(server, client):
        await server.kubectl("create", "rolebinding", "v", "--clusterrole=view",
                             "--serviceaccount=default:robot")  # fmt: skip
        someone = ("--as", "system:serviceaccount:default:robot")
        assert (await server.kubectl("auth", "can-i", "list", "pods", *someone)) == "yes\n"
        code, answer, _ = await server.try_kubectl("auth", "can-i", "get", "secrets", *someone)
        assert (code, answer) == (1, "no\n")
        code, answer, _ = await server.try_kubectl("auth", "can-i", "list", "pods", "-A", *someone)
        assert (code, answer) == (1, "no\n")
        listed = await server.kubectl("auth", "can-i", "--list", *someone)
        assert "selfsubjectaccessreviews.authorization.k8s.io" in listed
        assert "deployments.apps" in listed and "secrets" not in listed
        me = await server.kubectl("auth", "whoami", *someone)
        assert "system:serviceaccounts:default" in me
        _, _, error = await server.try_kubectl("get", "secrets", *someone)
        assert error == (
            'Error from server (Forbidden): secrets is forbidden: User "system:serviceaccount:'
            'default:robot" cannot list resource "secrets" in API group "" in the namespace '
            '"default"\n'
        )
    assert (await server.kubectl("auth", "can-i", "*", "*")) == "yes\n"


async def test_kubectl_reconciles_roles(server: RunningApiServer) -> None:
    manifest = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reconciled}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"""
    for _ in range(2):
        await server.kubectl("auth", "reconcile", "-f", "-", stdin=manifest)
    rules = await server.kubectl("get", "clusterrole", "reconciled", "-o", "jsonpath={.rules}")
    assert rules == '[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]'


async def test_only_who_may_is_somebody_else(server: RunningApiServer, client: Client) -> None:
    async with as_account(server, client):
        token = (await server.kubectl("create", "token", "robot")).strip()
        authority = pki.cert_file(server.folder / "pki", "ca")
        robot = ("--kubeconfig=/dev/null", f"--server={server.url}", f"--token={token}",
                 f"--certificate-authority={authority}")  # fmt: skip
        _, _, error = await server.try_kubectl("get", "--raw=/api/v1/pods", "--as", "alice", *robot)
        assert error.endswith(
            'users "alice" is forbidden: User "system:serviceaccount:default:robot" cannot '
            'impersonate resource "users" in API group "" at the cluster scope\n'
        )
    me = await server.kubectl("auth", "whoami", "--as", "alice", "--as-group", "g", "-o", "json")
    assert '"username": "alice"' in me and '"g"' in me and '"system:authenticated"' in me
    code, _, _ = await server.try_kubectl("get", "pods", "--as", "alice")
    assert code == 1
    await server.kubectl("get", "pods", "--as", "alice", "--as-group", "system:masters")


async def test_others_can_be_asked_about(server: RunningApiServer, client: Client) -> None:
    def review(user: str, verb: str, resource: str) -> Object:
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "resourceAttributes": {"verb": verb, "resource": resource}},
        }

    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    asked = review("system:kube-proxy", "list", "services")
    status = (await client.request("POST", path, body=asked))["status"]
    assert status["allowed"] is True
    assert status["reason"] == (
        'RBAC: allowed by ClusterRoleBinding "system:node-proxier" of ClusterRole '
        '"system:node-proxier" to User "system:kube-proxy"'
    )
    asked = review("system:kube-proxy", "delete", "services")
    assert (await client.request("POST", path, body=asked))["status"] == {"allowed": False}
    with pytest.raises(ApiError) as refusal:
        await client.request("POST", path, body={**asked, "spec": {"user": "x"}})
    assert refusal.value.code == 422


async def test_a_default_that_was_narrowed_is_widened_at_the_next_start(tmp_path: Path) -> None:
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        wanted = (await client.get(CLUSTER_ROLES, "system:monitoring"))["rules"]
        narrow = {"rules": [{"nonResourceURLs": ["/livez"], "verbs": ["get"]}]}
        await client.patch(CLUSTER_ROLES, "system:monitoring", narrow)
        off = {"annotations": {"rbac.authorization.kubernetes.io/autoupdate": "false"}}
        await client.patch(CLUSTER_ROLES, "system:discovery", {**narrow, "metadata": off})
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        role = await client.get(CLUSTER_ROLES, "system:monitoring")
        assert uncovered(role["rules"], wanted) == []
        assert (await client.get(CLUSTER_ROLES, "system:discovery"))["rules"] == narrow["rules"]
