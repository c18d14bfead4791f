"""The default roles and bindings of the namespaces kube-system and kube-public.

They let components of Kubernetes that run beside this API server find its authorities and choose
a leader among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pilotfish.apiserver.rbac.rules import Rule
from pilotfish.apiserver.rbac.worded import EVENTS, READ, rule

_READER: Final = "extension-apiserver-authentication-reader"
_SIGNER: Final = "system:controller:bootstrap-signer"
_CLOUD: Final = "system:controller:cloud-provider"
_CLEANER: Final = "system:controller:token-cleaner"
_LEADING: Final = "system::leader-locking-"
_MANAGER: Final = "kube-controller-manager"
_SCHEDULER: Final = "kube-scheduler"


def _leading(name: str) -> list[Rule]:
    return [
        rule("watch", "''", "configmaps"),
        rule("get update", "''", "configmaps", name),
    ]


NAMESPACE_ROLES: Final[Mapping[str, Mapping[str, list[Rule]]]] = {
    "kube-system": {
        _READER: [rule(READ, "''", "configmaps", "extension-apiserver-authentication")],
        _SIGNER: [rule(READ, "''", "secrets")],
        _CLOUD: [rule(f"create {READ}", "''", "configmaps")],
        _CLEANER: [rule(f"delete {READ}", "''", "secrets"), EVENTS],
        f"{_LEADING}{_MANAGER}": _leading(_MANAGER),
        f"{_LEADING}{_SCHEDULER}": _leading(_SCHEDULER),
    },
    "kube-public": {
        _SIGNER: [
            rule(READ, "''", "configmaps"),
            rule("update", "''", "configmaps", "cluster-info"),
            EVENTS,
        ],
    },
}


def _account(name: str) -> str:
    return f"ServiceAccount kube-system/{name}"


# The role and the subjects of each.
NAMESPACE_BINDINGS: Final[Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]]] = {
    "kube-system": {
        f"system::{_READER}": (
            _READER,
            (f"User system:{_MANAGER}", f"User system:{_SCHEDULER}"),
        ),
        _SIGNER: (_SIGNER, (_account("bootstrap-signer"),)),
        _CLOUD: (_CLOUD, (_account("cloud-provider"),)),
        _CLEANER: (_CLEANER, (_account("token-cleaner"),)),
        **{
            f"{_LEADING}{name}": (f"{_LEADING}{name}", (f"User system:{name}", _account(name)))
            for name in (_MANAGER, _SCHEDULER)
        },
    },
    "kube-public": {_SIGNER: (_SIGNER, (_account("bootstrap-signer"),))},
}
