"""Defaults of RoleBindings and ClusterRoleBindings."""

from __future__ import annotations

from pilotfish.objects.meta import Object

RBAC_GROUP = "rbac.authorization.k8s.io"


def apply_defaults(obj: Object) -> None:
    role = obj.get("roleRef")
    if role is not None and not role.get("apiGroup"):
        role["apiGroup"] = RBAC_GROUP
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("User", "Group") and not subject.get("apiGroup"):
            subject["apiGroup"] = RBAC_GROUP
