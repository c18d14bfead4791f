"""The authorizer: whether a user may do something, by the roles that are bound to them.

Bindings and roles are read from the registry when somebody asks, and what was worked out is kept
for each user until one of them changes: then everything is forgotten. A request costs two
look-ups in dictionaries, and one of an administrator none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from pilotfish.apiserver.authentication import User
from pilotfish.apiserver.collection import Change, Watcher
from pilotfish.apiserver.errors import quoted
from pilotfish.apiserver.rbac.attributes import Attributes, refusal
from pilotfish.apiserver.rbac.node_authorizer import NodeAuthorizer, node_of
from pilotfish.apiserver.rbac.rules import Rule, allows, matches
from pilotfish.apiserver.registry import Registry
from pilotfish.apiserver.selection import Selection
from pilotfish.objects.meta import Object, key_of, name_of, namespace_of

GROUP: Final = "rbac.authorization.k8s.io"
ROLES: Final = f"roles.{GROUP}"
CLUSTER_ROLES: Final = f"clusterroles.{GROUP}"
ROLE_BINDINGS: Final = f"rolebindings.{GROUP}"
CLUSTER_ROLE_BINDINGS: Final = f"clusterrolebindings.{GROUP}"
# Its members may do everything, whatever the roles say: who locks himself out needs a way back.
MASTERS: Final = "system:masters"
_MOST_USERS: Final = 1000
_MOST_ANSWERS: Final = 5000

# What a user may do: everything asked for, nothing, or on the objects of these names.
_Answer = bool | frozenset[str]


class Grant(NamedTuple):
    """A role that somebody has.

    Attributes:
        namespace: where; "" for everywhere.
        reason: by which binding, in kube-apiserver's words.
    """

    namespace: str
    rules: list[Rule]
    reason: str


class _Known:
    """What has been worked out about one user."""

    __slots__ = ("answers", "grants")

    def __init__(self, grants: list[Grant]) -> None:
        self.grants = grants
        self.answers: dict[tuple[str, ...], _Answer] = {}


class Authorizer(Watcher):
    """Answers whether somebody may do something."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[tuple[str, tuple[str, ...]], _Known] = {}
        self._bindings: list[Object] | None = None
        self._rules: dict[tuple[str, str], list[Rule]] = {}
        self._nodes = NodeAuthorizer(registry)
        for name in (ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS):
            registry.collection(name).watchers.add(self)

    def offer(self, change: Change) -> None:  # noqa: ARG002 - whatever it was
        """Forget everything: a role or a binding has changed."""
        self._known.clear()
        self._rules.clear()
        self._bindings = None

    def check(self, user: User, asked: Attributes) -> None:
        """See that a user may do something.

        Raises:
            StatusError: 403 when not.
        """
        if not self.allows(user, asked):
            raise refusal(user.name, asked, self.why_not(user, asked))

    def allows(self, user: User, asked: Attributes) -> bool:
        """Whether a user may do something."""
        if MASTERS in user.groups:
            return True
        node = node_of(user)
        if node and self._nodes.objection(node, asked) is None:
            return True
        known = self._of(user)
        verb, group, resource, subresource, namespace, name, path, _ = asked
        question = (verb, group, resource, subresource, namespace, path)
        answer = known.answers.get(question)
        if answer is None:
            if len(known.answers) >= _MOST_ANSWERS:
                known.answers.clear()
            answer = known.answers[question] = _answer(known.grants, asked)
        return answer if isinstance(answer, bool) else name in answer

    def why_not(self, user: User, asked: Attributes) -> str:
        """Why a user may not do something, where there is more to say than that no role allows it.

        Only the Node authorizer has more to say.
        """
        node = node_of(user)
        return (self._nodes.objection(node, asked) or "") if node else ""

    def reason(self, user: User, asked: Attributes) -> str:
        """By which binding a user may do something; "" when by none or by being a master."""
        if MASTERS in user.groups:
            return ""
        for grant in _reaching(self._of(user).grants, asked.namespace):
            if any(allows(rule, asked) for rule in grant.rules):
                return grant.reason
        return ""

    def rules_of(self, user: User, namespace: str) -> list[Rule]:
        """The rules that a user has in a namespace; "" for those that hold everywhere."""
        grants = _reaching(self._of(user).grants, namespace)
        return [rule for grant in grants for rule in grant.rules]

    def has_role(self, reference: Object, namespace: str) -> bool:
        """Whether there is the role that a binding in a namespace refers to."""
        resource_name, key = _place_of(reference, namespace)
        return self._registry.collection(resource_name).get(key) is not None

    def rules_of_role(self, reference: Object, namespace: str) -> list[Rule]:
        """The rules of the role that a binding in a namespace refers to; [] if there is none."""
        place = _place_of(reference, namespace)
        rules = self._rules.get(place)
        if rules is None:
            entry = self._registry.collection(place[0]).get(place[1])
            rules = (entry.decode().get("rules") or []) if entry is not None else []
            self._rules[place] = rules
        return rules

    def _of(self, user: User) -> _Known:
        who = (user.name, user.groups)
        known = self._known.get(who)
        if known is None:
            if len(self._known) >= _MOST_USERS:
                self._known.clear()
            known = self._known[who] = _Known(list(self._grants(user)))
        return known

    def _grants(self, user: User) -> Iterator[Grant]:
        if self._bindings is None:
            self._bindings = [
                entry.decode()
                for name in (CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS)
                for entry in self._registry.collection(name).select(Selection())
            ]
        for binding in self._bindings:
            namespace = namespace_of(binding)
            for subject in binding.get("subjects") or ():
                if is_subject(subject, user, namespace):
                    role = binding["roleRef"]
                    rules = self.rules_of_role(role, namespace)
                    yield Grant(namespace, rules, _reason(binding, role, subject))
                    break


def _place_of(reference: Object, namespace: str) -> tuple[str, str]:
    """Where the role is that a binding refers to: the resource's full name, and the key."""
    name = reference.get("name", "")
    if reference.get("kind") == "ClusterRole":
        return CLUSTER_ROLES, name
    return ROLES, f"{namespace}/{name}"


def is_subject(subject: Object, user: User, namespace: str) -> bool:
    """Whether a binding's subject is a user; `namespace` is the binding's."""
    name = subject.get("name", "")
    match subject.get("kind"):
        case "User":
            return bool(name == user.name)
        case "Group":
            return name in user.groups
        case "ServiceAccount":
            home = subject.get("namespace") or namespace
            return user.name == f"system:serviceaccount:{home}:{name}"
    return False


def _reaching(grants: list[Grant], namespace: str) -> Iterator[Grant]:
    return (grant for grant in grants if not grant.namespace or grant.namespace == namespace)


def _answer(grants: list[Grant], asked: Attributes) -> _Answer:
    names: set[str] = set()
    for grant in _reaching(grants, asked.namespace):
        for rule in grant.rules:
            if matches(rule, asked):
                if asked.path or not rule.get("resourceNames"):
                    return True
                names.update(rule["resourceNames"])
    return frozenset(names) if names else False


def _reason(binding: Object, role: Object, subject: Object) -> str:
    kind, name = subject["kind"], subject["name"]
    home = subject.get("namespace")
    who = quoted(f"{name}/{home}" if kind == "ServiceAccount" else name)
    return (
        f"RBAC: allowed by {binding['kind']} {quoted(_shown(binding))} of {role['kind']} "
        f"{quoted(role['name'])} to {kind} {who}"
    )


def _shown(binding: Object) -> str:
    home = namespace_of(binding)
    return f"{name_of(binding)}/{home}" if home else key_of(binding)
