"""Escalation: nobody gives away what he does not have himself.

Who writes a role needs all that it allows, or the verb `escalate` on roles; who writes a binding
needs all that the role allows, or the verb `bind` on the role ("Privilege escalation prevention
and bootstrapping" in the Kubernetes documentation).
"""

from __future__ import annotations

from typing import Final

from pilotfish.apiserver.authentication import User
from pilotfish.apiserver.errors import (
    StatusError,
    details_of,
    forbidden,
    not_found,
    quoted,
)
from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.apiserver.rbac.authorizer import GROUP, Authorizer
from pilotfish.apiserver.rbac.rules import Rule, uncovered, words
from pilotfish.objects.meta import Object, name_of, namespace_of
from pilotfish.objects.resources import Resource
from pilotfish.objects.resources import resource as resource_named

GUARDED: Final = frozenset({"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"})
_EVERYTHING: Final[list[Rule]] = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]


def is_guarded(resource: Resource) -> bool:
    """Whether writes of a resource give rights away."""
    return resource.group == GROUP and resource.kind in GUARDED


def check_escalation(
    authorizer: Authorizer,
    user: User,
    resource: Resource,
    new: Object,
    old: Object | None,
    name: str,
) -> None:
    """See that a user may write a role or a binding as it would be.

    All that the object gives is looked at, not just what is new: a label can add a role's rules
    to an aggregated one, a subject can be made again by somebody else.

    Args:
        old: as it is now; None if it is created.
        name: in the request's path; "" where a collection is written to.

    Raises:
        StatusError: 403, with the rules that the user lacks; 404 for a binding to a role that does
            not exist, for who may not bind it.
    """
    if old is not None and _without_collection(new) == _without_collection(old):
        return
    namespace = namespace_of(new)
    if resource.kind in ("Role", "ClusterRole"):
        asked = Attributes("escalate", GROUP, resource.plural, "", namespace, name)
        if authorizer.allows(user, asked):
            return
        wanted = new.get("rules") or []
    else:
        role = new["roleRef"]
        plural = "clusterroles" if role["kind"] == "ClusterRole" else "roles"
        asked = Attributes("bind", GROUP, plural, "", namespace, role["name"])
        if authorizer.allows(user, asked):
            return
        if not authorizer.has_role(role, namespace):
            raise not_found(resource_named(f"{plural}.{GROUP}"), role["name"])
        wanted = authorizer.rules_of_role(role, namespace)
    held = authorizer.rules_of(user, namespace)
    missing = uncovered(held, wanted)
    if missing:
        raise _refusal(user, resource, name_of(new), missing)
    aggregates = any(each and each.get("aggregationRule") for each in (new, old))
    if aggregates and uncovered(held, _EVERYTHING):
        why = "must have cluster-admin privileges to use the aggregationRule"
        raise forbidden(resource, name_of(new), why)


def _without_collection(obj: Object) -> Object:
    """An object without what the garbage collector changes of it."""
    ignored = ("finalizers", "managedFields", "ownerReferences", "resourceVersion")
    metadata = {key: value for key, value in obj["metadata"].items() if key not in ignored}
    return {**obj, "metadata": metadata}


def _refusal(user: User, resource: Resource, name: str, missing: list[Rule]) -> StatusError:
    groups = " ".join(quoted(group) for group in user.groups)
    lacking = "\n".join(words(rule) for rule in missing)
    message = (
        f"{resource.full_name} {quoted(name)} is forbidden: user {quoted(user.name)} "
        f"(groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n"
        f"{lacking}"
    )
    return StatusError(403, "Forbidden", message, details_of(resource, name))
