"""Roles, bindings, and a ServiceAccount that has nothing but what they give it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pilotfish.client.api import Client
from pilotfish.client.config import ClientConfig
from pilotfish.cluster import pki
from pilotfish.objects.meta import Object
from support.apiserver import RunningApiServer

RBAC = "rbac.authorization.k8s.io"
ROLES, BINDINGS = f"roles.{RBAC}", f"rolebindings.{RBAC}"
CLUSTER_ROLES, CLUSTER_BINDINGS = f"clusterroles.{RBAC}", f"clusterrolebindings.{RBAC}"


def role(kind: str, name: str, *rules: Object, **fields: Any) -> Object:
    metadata = {"name": name} if kind == "ClusterRole" else {"name": name, "namespace": "default"}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": metadata,
        "rules": list(rules),
        **fields,
    }


def rule(verbs: str, resources: str, group: str = "", **fields: Any) -> Object:
    return {
        "apiGroups": [group],
        "resources": resources.split(),
        "verbs": verbs.split(),
        **fields,
    }


def binding(kind: str, name: str, role_kind: str, role_name: str, account: str) -> Object:
    metadata = {"name": name}
    if kind == "RoleBinding":
        metadata["namespace"] = "default"
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": role_kind, "name": role_name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": "default"}],
    }


@asynccontextmanager
async def as_account(
    server: RunningApiServer, admin: Client, name: str = "robot"
) -> AsyncIterator[Client]:
    """A ServiceAccount's client, with the token of one that may do nothing yet."""
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": "default"},
    }
    await admin.create("serviceaccounts", account)
    token = (await server.kubectl("create", "token", name)).strip()
    authority = pki.cert_file(server.folder / "pki", "ca")
    async with Client(ClientConfig(server=server.url, ca=authority, token=token)) as client:
        yield client
