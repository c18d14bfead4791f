"""Which rights each write asks for: all of them, and no others.

Each case is tried with exactly its rights, and once without each of them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError
from pilotfish.objects.meta import Object
from support.apiserver import RunningApiServer
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
)

CORE = "/api/v1/namespaces/default"
APPS = "/apis/apps/v1/namespaces/default"
ROLES_PATH = f"/apis/{RBAC}/v1/namespaces/default/roles"
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
LABEL: Object = {"metadata": {"labels": {"a": "b"}}}
READER = role("Role", "new", {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]})


@dataclass(frozen=True)
class Write:
    """A request, and the rights that it takes: `verb group/resource[/subresource] [name]`."""

    method: str
    path: str
    rights: tuple[str, ...]
    body: Any = None
    content_type: str = "application/json"
    params: Mapping[str, str] = field(default_factory=dict)


def apply(path: str, body: Object, *rights: str, **params: str) -> Write:
    return Write("PATCH", path, rights, body, APPLY, {"fieldManager": "m", **params})


def lease(name: str) -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"holderIdentity": "x"},
    }


LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
SCALE = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "d"}}
TOKEN = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
BINDING = {
    "apiVersion": "v1",
    "kind": "Binding",
    "metadata": {"name": "p"},
    "target": {"apiVersion": "v1", "kind": "Node", "name": "n"},
}
EPHEMERAL = {"spec": {"ephemeralContainers": [{"name": "e", "image": "x"}]}}

CSR = "/apis/certificates.k8s.io/v1/certificatesigningrequests/csr"


def certificate_request(*organizations: str) -> str:
    """The base64 of a PEM request by somebody called jane."""
    names = [x509.NameAttribute(x509.NameOID.COMMON_NAME, "jane")]
    names += [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, each) for each in organizations]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


REQUEST = certificate_request()
SIGNER = "kubernetes.io/kube-apiserver-client"


def csr(**status: Any) -> Object:
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "csr"},
        "spec": {"request": REQUEST, "signerName": SIGNER, "usages": ["client auth"]},
        "status": status,
    }


WRITES = {
    "create": Write("POST", f"{CORE}/configmaps", ("create /configmaps",), config_map("new")),
    "update": Write("PUT", f"{CORE}/configmaps/c", ("update /configmaps",), config_map("c")),
    "put that creates": Write(
        "PUT", f"{LEASES}/new", ("update coordination.k8s.io/leases",
                                 "create coordination.k8s.io/leases"), lease("new")
    ),
    "put on what is there": Write(
        "PUT", f"{CORE}/configmaps/c", ("update /configmaps",), config_map("c")
    ),
    "put of a role that creates": Write(
        "PUT",
        f"{ROLES_PATH}/new",
        (f"update {RBAC}/roles", f"create {RBAC}/roles", "get /pods"),
        READER,
    ),
    "patch": Write("PATCH", f"{CORE}/configmaps/c", ("patch /configmaps",), LABEL, MERGE),
    "apply that creates": apply(
        f"{CORE}/configmaps/new", config_map("new"), "patch /configmaps", "create /configmaps"
    ),
    "apply that creates one name": apply(
        f"{CORE}/configmaps/new", config_map("new"), "patch /configmaps", "create /configmaps new"
    ),
    "apply that would create": apply(
        f"{CORE}/configmaps/new", config_map("new"), "patch /configmaps", "create /configmaps",
        dryRun="All",
    ),
    "apply that creates a Pod": apply(
        f"{CORE}/pods/new", pod("new"), "patch /pods", "create /pods"
    ),
    "apply on what is there": apply(
        f"{CORE}/configmaps/c", config_map("c"), "patch /configmaps", force="true"
    ),
    "apply that creates a role": apply(
        f"{ROLES_PATH}/new", READER, f"patch {RBAC}/roles", f"create {RBAC}/roles", "get /pods"
    ),
    "apply that creates a role by escalation": apply(
        f"{ROLES_PATH}/new", READER,
        f"patch {RBAC}/roles", f"create {RBAC}/roles", f"escalate {RBAC}/roles",
    ),
    "create a role": Write(
        "POST", ROLES_PATH, (f"create {RBAC}/roles", "get /pods"), READER
    ),
    "label a role": Write(
        "PATCH", f"{ROLES_PATH}/r", (f"patch {RBAC}/roles", "get /pods"), LABEL, MERGE
    ),
    "finalizers of a role": Write(
        "PATCH", f"{ROLES_PATH}/r", (f"patch {RBAC}/roles",),
        {"metadata": {"finalizers": ["a.b/c"]}}, MERGE,
    ),
    "bind a role": Write(
        "POST",
        f"/apis/{RBAC}/v1/namespaces/default/rolebindings",
        (f"create {RBAC}/rolebindings", f"bind {RBAC}/roles r"),
        binding("RoleBinding", "new", "Role", "r", "somebody"),
    ),
    "delete": Write("DELETE", f"{CORE}/configmaps/c", ("delete /configmaps",)),
    "delete all": Write("DELETE", f"{CORE}/configmaps", ("deletecollection /configmaps",)),
    "status": Write(
        "PATCH", f"{CORE}/pods/p/status", ("patch /pods/status",), LABEL, MERGE
    ),
    "scale": Write("PUT", f"{APPS}/deployments/d/scale", ("update apps/deployments/scale",), SCALE),
    "token": Write(
        "POST", f"{CORE}/serviceaccounts/robot/token", ("create /serviceaccounts/token",), TOKEN
    ),
    "eviction": Write("POST", f"{CORE}/pods/p/eviction", ("create /pods/eviction",), EVICTION),
    "binding of a Pod": Write("POST", f"{CORE}/pods/p/binding", ("create /pods/binding",), BINDING),
    "binding": Write("POST", f"{CORE}/bindings", ("create /bindings",), BINDING),
    "ephemeral containers": Write(
        "PATCH", f"{CORE}/pods/p/ephemeralcontainers", ("patch /pods/ephemeralcontainers",),
        EPHEMERAL, MERGE,
    ),
}  # fmt: skip
CLUSTER_WRITES = {
    "approve": Write(
        "PUT",
        f"{CSR}/approval",
        (
            "update certificates.k8s.io/certificatesigningrequests/approval",
            f"approve certificates.k8s.io/signers {SIGNER}",
        ),
        csr(conditions=[{"type": "Approved", "status": "True", "reason": "x", "message": "x"}]),
    ),
    "approve for all signers of a domain": Write(
        "PUT",
        f"{CSR}/approval",
        (
            "update certificates.k8s.io/certificatesigningrequests/approval",
            "approve certificates.k8s.io/signers kubernetes.io/*",
        ),
        csr(conditions=[{"type": "Approved", "status": "True", "reason": "x", "message": "x"}]),
    ),
    "sign": Write(
        "PUT",
        f"{CSR}/status",
        (
            "update certificates.k8s.io/certificatesigningrequests/status",
            f"sign certificates.k8s.io/signers {SIGNER}",
        ),
        csr(conditions=[{"type": "Failed", "status": "True", "reason": "x", "message": "x"}]),
    ),
}


def rule_for(right: str) -> Object:
    verb, what, *names = right.split()
    group, _, resource = what.partition("/")
    found: Object = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
    return {**found, "resourceNames": names} if names else found


async def answer(client: Client, write: Write) -> int:
    try:
        await client.request(write.method, write.path, write.params, write.body, write.content_type)
    except ApiError as error:
        return error.code
    return 200


async def prepare(client: Client) -> None:
    """Make what the writes change."""
    await client.create("configmaps", config_map("c"))
    await client.create("pods", pod("p"))
    await client.create("leases.coordination.k8s.io", lease("l"))
    await client.create(ROLES, {**READER, "metadata": {"name": "r", "namespace": "default"}})
    await client.create("certificatesigningrequests.certificates.k8s.io", csr())
    labels = {"app": "d"}
    template = {"metadata": {"labels": labels}, "spec": pod("d")["spec"]}
    await client.create(
        "deployments.apps",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "d", "namespace": "default"},
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        },
    )


@pytest.mark.parametrize(
    ("write", "grant"),
    [
        *((write, "RoleBinding") for write in WRITES.values()),
        *((write, "ClusterRoleBinding") for write in CLUSTER_WRITES.values()),
    ],
    ids=[*WRITES, *CLUSTER_WRITES],
)
async def test_a_write_takes_all_of_its_rights_and_no_more(
    server: RunningApiServer, client: Client, write: Write, grant: str
) -> None:
    await prepare(client)
    async with as_account(server, client) as robot:
        await client.create(CLUSTER_ROLES, role("ClusterRole", "some"))
        bindings = BINDINGS if grant == "RoleBinding" else CLUSTER_BINDINGS
        await client.create(bindings, binding(grant, "some", "ClusterRole", "some", "robot"))
        for missing in (*write.rights, None):
            rules = [rule_for(right) for right in write.rights if right != missing]
            await client.patch(CLUSTER_ROLES, "some", {"rules": rules})
            assert await answer(robot, write) == (200 if missing is None else 403), missing


async def test_who_signs_does_not_approve_and_who_approves_does_not_sign(client: Client) -> None:
    await prepare(client)
    approved = {"type": "Approved", "status": "True", "reason": "x", "message": "x"}
    by_status = await client.request("PUT", f"{CSR}/status", body=csr(conditions=[approved]))
    assert "conditions" not in by_status["status"]
    both = csr(conditions=[approved], certificate=REQUEST)
    by_approval = await client.request("PUT", f"{CSR}/approval", body=both)
    assert [each["type"] for each in by_approval["status"]["conditions"]] == ["Approved"]
    assert "certificate" not in by_approval["status"]
    nothing = csr()
    assert (await client.request("PUT", f"{CSR}/status", body=nothing))["status"] == {
        "conditions": by_approval["status"]["conditions"]
    }


async def test_nobody_asks_to_be_an_administrator_by_a_certificate(client: Client) -> None:
    resource = "certificatesigningrequests.certificates.k8s.io"
    asking = csr()
    asking["spec"]["request"] = certificate_request("developers", "system:masters")
    with pytest.raises(ApiError) as refusal:
        await client.create(resource, asking)
    assert refusal.value.code == 403
    assert refusal.value.message.endswith(
        "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
    )
    asking["spec"]["request"] = certificate_request("developers")
    assert await client.create(resource, asking)


async def test_a_label_does_not_add_a_powerful_role_to_an_aggregated_one(
    server: RunningApiServer, client: Client
) -> None:
    secrets = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    await client.create(CLUSTER_ROLES, role("ClusterRole", "strong", secrets))
    async with as_account(server, client) as robot:
        patches = {"apiGroups": [RBAC], "resources": ["clusterroles"], "verbs": ["patch"]}
        await client.create(CLUSTER_ROLES, role("ClusterRole", "patcher", patches))
        grant = binding("ClusterRoleBinding", "patcher", "ClusterRole", "patcher", "robot")
        await client.create(CLUSTER_BINDINGS, grant)
        label = {"metadata": {"labels": {f"{RBAC}/aggregate-to-view": "true"}}}
        with pytest.raises(ApiError) as refusal:
            await robot.patch(CLUSTER_ROLES, "strong", label)
        assert refusal.value.code == 403


async def test_a_role_that_does_not_exist_yet_is_not_bound(
    server: RunningApiServer, client: Client
) -> None:
    async with as_account(server, client) as robot:
        writes = {"apiGroups": [RBAC], "resources": ["rolebindings"], "verbs": ["create"]}
        await client.create(CLUSTER_ROLES, role("ClusterRole", "binder", writes))
        await client.create(BINDINGS, binding("RoleBinding", "b", "ClusterRole", "binder", "robot"))
        early = binding("RoleBinding", "early", "ClusterRole", "later", "robot")
        with pytest.raises(ApiError) as refusal:
            await robot.create(BINDINGS, early)
        assert refusal.value.code == 404
        assert 'clusterroles.rbac.authorization.k8s.io "later" not found' in refusal.value.message


async def test_a_selector_does_not_name_what_is_created(
    server: RunningApiServer, client: Client
) -> None:
    async with as_account(server, client) as robot:
        limited = rule_for("create /configmaps a")
        await client.create(CLUSTER_ROLES, role("ClusterRole", "some", limited))
        await client.create(
            BINDINGS, binding("RoleBinding", "some", "ClusterRole", "some", "robot")
        )
        params = {"fieldSelector": "metadata.name=a"}
        write = Write("POST", f"{CORE}/configmaps", (), config_map("b"), params=params)
        assert await answer(robot, write) == 403
