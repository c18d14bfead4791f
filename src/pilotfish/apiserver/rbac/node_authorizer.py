"""The Node authorizer: what a kubelet may do, by the Pods that are bound to its node.

"Using Node Authorization" in the Kubernetes documentation. Who is in group `system:nodes` under a
name like `system:node:NAME` may do what the rules of ClusterRole `system:node` say, and of the
objects that Pods refer to only read those that Pods of its own node do. What it may write of
Nodes and Pods is limited further by `node_restriction`.
"""

from __future__ import annotations

from typing import Final

from pilotfish.apiserver.authentication import User
from pilotfish.apiserver.rbac.attributes import Attributes, selected
from pilotfish.apiserver.rbac.cluster_policy import NODE_RULES
from pilotfish.apiserver.rbac.node_graph import NodeGraph
from pilotfish.apiserver.rbac.rules import allows
from pilotfish.apiserver.registry import Registry

LEASE_NAMESPACE: Final = "kube-node-lease"
_PREFIX: Final = "system:node:"
_GROUP: Final = "system:nodes"
_LIFE: Final = frozenset({"get", "create", "update", "patch", "delete"})
_READ: Final = frozenset({"get", "list", "watch"})
# What holds instead of an answer by the rules. Reasons are kube-apiserver's.
_NO_RULE: Final = ""


def node_of(user: User) -> str:
    """The node whose kubelet a user is; "" if none's."""
    if user.name.startswith(_PREFIX) and _GROUP in user.groups:
        return user.name.removeprefix(_PREFIX)
    return ""


class NodeAuthorizer:
    """Answers what kubelets may do."""

    def __init__(self, registry: Registry) -> None:
        self._graph = NodeGraph(registry)

    def objection(self, node: str, asked: Attributes) -> str | None:
        """What speaks against a request: "" if just that no rule allows it; None: it is allowed."""
        match (asked.group, asked.resource):
            case ("", "secrets" | "configmaps"):
                return self._read(node, asked)
            case ("", "persistentvolumeclaims") if asked.subresource == "status":
                return self._write_status(node, asked)
            case ("", "persistentvolumeclaims" | "persistentvolumes") | (
                "storage.k8s.io",
                "volumeattachments",
            ):
                return self._get(node, asked)
            case ("", "serviceaccounts"):
                return self._account(node, asked)
            case ("coordination.k8s.io", "leases"):
                return _lease(node, asked)
            case ("storage.k8s.io", "csinodes"):
                return _csi_node(node, asked)
            case ("", "nodes") if asked.verb in _READ and not asked.subresource:
                return _read_node(node, asked)
            case ("", "pods") if asked.verb in _READ and not asked.subresource:
                return self._read_pods(node, asked)
        if any(allows(rule, asked) for rule in NODE_RULES):
            return None
        return _NO_RULE

    def _related(self, node: str, asked: Attributes) -> str | None:
        if not asked.name:
            return "No Object name found"
        key = f"{asked.namespace}/{asked.name}" if asked.namespace else asked.name
        if self._graph.is_related(node, asked.resource, key):
            return None
        return f"no relationship found between node '{node}' and this object"

    def _get(self, node: str, asked: Attributes) -> str | None:
        if asked.verb != "get":
            return "can only get individual resources of this type"
        if asked.subresource:
            return "cannot get subresource"
        return self._related(node, asked)

    def _read(self, node: str, asked: Attributes) -> str | None:
        if asked.verb not in _READ:
            return "can only read resources of this type"
        if asked.subresource:
            return "cannot read subresource"
        if not asked.namespace:
            return "can only read namespaced object of this type"
        return self._related(node, asked)

    def _write_status(self, node: str, asked: Attributes) -> str | None:
        if asked.verb not in ("update", "patch"):
            return "can only update the status of this type"
        return self._related(node, asked)

    def _account(self, node: str, asked: Attributes) -> str | None:
        if asked.verb == "get" and not asked.subresource:
            return self._related(node, asked)
        if asked.verb != "create" or asked.subresource != "token":
            return "can only create tokens for individual service accounts"
        return self._related(node, asked)

    def _read_pods(self, node: str, asked: Attributes) -> str | None:
        if asked.verb == "get":
            return self._related(node, asked)
        if selected(asked.field_selector, "spec.nodeName") == node:
            return None
        return "can only list/watch pods with spec.nodeName field selector"


def _read_node(node: str, asked: Attributes) -> str | None:
    if asked.name == node:
        return None
    which = f"'{asked.name}'" if asked.name else "all nodes"
    return f"node '{node}' cannot read {which}, only its own Node object"


def _lease(node: str, asked: Attributes) -> str | None:
    if asked.verb not in _LIFE:
        return "can only get, create, update, patch, or delete a node lease"
    if asked.namespace != LEASE_NAMESPACE:
        return f'can only access leases in the "{LEASE_NAMESPACE}" system namespace'
    # Who creates names it in the body: `node_restriction` sees to that.
    if asked.verb != "create" and asked.name != node:
        return "can only access node lease with the same name as the requesting node"
    return None


def _csi_node(node: str, asked: Attributes) -> str | None:
    if asked.verb not in _LIFE:
        return "can only get, create, update, patch, or delete a CSINode"
    if asked.subresource:
        return "cannot authorize CSINode subresources"
    if asked.verb != "create" and asked.name != node:
        return "can only access CSINode with the same name as the requesting node"
    return None
