"""Escalation: nobody gives away what he does not have himself.

Who writes a role needs all that it allows, or the verb `escalate` on roles; who writes a binding
needs all that the role allows, or the verb `bind` on the role ("Privilege escalation prevention
and bootstrapping" in the Kubernetes documentation).
"""

from __future__ import annotations

from typing import Final

from pilotfish.apiserver.authentication import User
from pilotfish.apiserver.errors import StatusError, details_of, quoted
from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.apiserver.rbac.authorizer import GROUP, Authorizer
from pilotfish.apiserver.rbac.rules import Rule, uncovered, words
from pilotfish.objects.meta import Object, name_of, namespace_of
from pilotfish.objects.resources import Resource

GUARDED: Final = frozenset({"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"})
_EVERYTHING: Final[list[Rule]] = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]


def is_guarded(resource: Resource) -> bool:
    """Whether writes of a resource give rights away."""
    return resource.group == GROUP and resource.kind in GUARDED


def check_escalation(
    authorizer: Authorizer, user: User, resource: Resource, new: Object, old: Object | None
) -> None:
    """See that a user may write a role or a binding as it would be.

    Args:
        old: as it is now; None if it is created. What gives away nothing new is never refused.

    Raises:
        StatusError: 403, with the rules that the user lacks.
    """
    before = old or {}
    namespace = namespace_of(new)
    if resource.kind in ("Role", "ClusterRole"):
        wanted = new.get("rules") or []
        if wanted == before.get("rules") and _same(new, before, "aggregationRule"):
            return
        asked = Attributes("escalate", GROUP, resource.plural, "", namespace, name_of(new))
        if authorizer.allows(user, asked):
            return
        if new.get("aggregationRule") and not _same(new, before, "aggregationRule"):
            wanted = [*wanted, *_EVERYTHING]
    else:
        if old is not None and _same(new, old, "roleRef") and _same(new, old, "subjects"):
            return
        role = new["roleRef"]
        plural = "clusterroles" if role["kind"] == "ClusterRole" else "roles"
        asked = Attributes("bind", GROUP, plural, "", namespace, role["name"])
        if authorizer.allows(user, asked):
            return
        wanted = authorizer.rules_of_role(role, namespace)
    missing = uncovered(authorizer.rules_of(user, namespace), wanted)
    if missing:
        raise _refusal(user, resource, name_of(new), missing)


def _same(new: Object, old: Object, field: str) -> bool:
    return new.get(field) == old.get(field)


def _refusal(user: User, resource: Resource, name: str, missing: list[Rule]) -> StatusError:
    groups = " ".join(quoted(group) for group in user.groups)
    lacking = "\n".join(words(rule) for rule in missing)
    message = (
        f"{resource.full_name} {quoted(name)} is forbidden: user {quoted(user.name)} "
        f"(groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n"
        f"{lacking}"
    )
    return StatusError(403, "Forbidden", message, details_of(resource, name))
