"""The roles and bindings that every cluster has from its start.

The tables are in `cluster_policy`, `controller_policy` and `namespace_policy`. The controllers here
run as one user, who is an administrator.
"""

from __future__ import annotations

from typing import Final

from pilotfish.apiserver.rbac.cluster_policy import CLUSTER_BINDINGS, CLUSTER_ROLES
from pilotfish.apiserver.rbac.controller_policy import CERTIFICATE_ROLES, CONTROLLER_ROLES, PREFIX
from pilotfish.apiserver.rbac.namespace_policy import NAMESPACE_BINDINGS, NAMESPACE_ROLES
from pilotfish.objects.meta import Object

_GROUP: Final = "rbac.authorization.k8s.io"
_LABELS: Final = {"kubernetes.io/bootstrapping": "rbac-defaults"}
AUTOUPDATE: Final = "rbac.authorization.kubernetes.io/autoupdate"
# Who aggregates what, and what each is itself aggregated to.
_AGGREGATES: Final = {"admin": "", "edit": "admin", "view": "edit"}


def _aggregate_to(name: str) -> str:
    return f"rbac.authorization.k8s.io/aggregate-to-{name}"


def _object(kind: str, name: str, labels: dict[str, str], namespace: str = "") -> Object:
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": kind,
        "metadata": {
            **({"namespace": namespace} if namespace else {}),
            "name": name,
            "labels": {**_LABELS, **labels},
            "annotations": {AUTOUPDATE: "true"},
        },
    }


def cluster_roles() -> list[Object]:
    """The ClusterRoles; aggregating ones have no rules yet."""
    roles = []
    named = {**CLUSTER_ROLES, **CONTROLLER_ROLES, **CERTIFICATE_ROLES}
    for name, rules in named.items():
        to = name.removeprefix("system:aggregate-to-")
        labels = {_aggregate_to(to): "true"} if to != name else {}
        roles.append({**_object("ClusterRole", name, labels), "rules": rules})
    for name, to in _AGGREGATES.items():
        labels = {_aggregate_to(to): "true"} if to else {}
        selector = {"matchLabels": {_aggregate_to(name): "true"}}
        rule = {"clusterRoleSelectors": [selector]}
        roles.append({**_object("ClusterRole", name, labels), "aggregationRule": rule})
    return roles


def cluster_role_bindings() -> list[Object]:
    """The ClusterRoleBindings."""
    controllers = {
        name: (name, (f"ServiceAccount kube-system/{name.removeprefix(PREFIX)}",))
        for name in CONTROLLER_ROLES
    }
    return [
        {
            **_object("ClusterRoleBinding", name, {}),
            "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": role},
            "subjects": [_subject(text) for text in subjects],
        }
        for name, (role, subjects) in {**CLUSTER_BINDINGS, **controllers}.items()
    ]


def roles() -> list[Object]:
    """The Roles, of the system's namespaces."""
    return [
        {**_object("Role", name, {}, namespace), "rules": rules}
        for namespace, named in NAMESPACE_ROLES.items()
        for name, rules in named.items()
    ]


def role_bindings() -> list[Object]:
    """The RoleBindings, of the system's namespaces."""
    return [
        {
            **_object("RoleBinding", name, {}, namespace),
            "roleRef": {"apiGroup": _GROUP, "kind": "Role", "name": role},
            "subjects": [_subject(text) for text in subjects],
        }
        for namespace, named in NAMESPACE_BINDINGS.items()
        for name, (role, subjects) in named.items()
    ]


def _subject(text: str) -> Object:
    kind, name = text.split()
    if kind == "ServiceAccount":
        namespace, _, name = name.partition("/")
        return {"kind": kind, "name": name, "namespace": namespace}
    return {"apiGroup": _GROUP, "kind": kind, "name": name}
