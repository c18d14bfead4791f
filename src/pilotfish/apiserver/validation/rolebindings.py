"""Validation of RoleBindings and ClusterRoleBindings."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import Cause, invalid, not_supported, required
from pilotfish.objects.meta import Object

_GROUP = "rbac.authorization.k8s.io"
_SUBJECTS = ("Group", "ServiceAccount", "User")


def validate(obj: Object) -> list[Cause]:
    causes: list[Cause] = []
    role = obj.get("roleRef") or {}
    if role.get("apiGroup") not in (_GROUP, None):
        causes.append(not_supported("roleRef.apiGroup", role["apiGroup"], (_GROUP,)))
    is_cluster_wide = obj.get("kind") == "ClusterRoleBinding"
    kinds = ("ClusterRole",) if is_cluster_wide else ("Role", "ClusterRole")
    if role.get("kind") not in kinds:
        causes.append(not_supported("roleRef.kind", role.get("kind", ""), kinds))
    if not role.get("name"):
        causes.append(required("roleRef.name"))
    for index, subject in enumerate(obj.get("subjects") or ()):
        at = f"subjects[{index}]"
        if not subject.get("name"):
            causes.append(required(f"{at}.name"))
        kind = subject.get("kind", "")
        if kind not in _SUBJECTS:
            causes.append(not_supported(f"{at}.kind", kind, _SUBJECTS))
        elif kind == "ServiceAccount" and is_cluster_wide and not subject.get("namespace"):
            # In a RoleBinding it is the binding's own.
            causes.append(required(f"{at}.namespace"))
    return causes


def validate_update(new: Object, old: Object) -> list[Cause]:
    if new.get("roleRef") == old.get("roleRef"):
        return []
    return [invalid("roleRef", new.get("roleRef"), "cannot change roleRef")]
