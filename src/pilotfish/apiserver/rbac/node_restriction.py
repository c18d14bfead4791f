"""NodeRestriction: what a kubelet may write of the Nodes and Pods that it may write at all.

kube-apiserver's admission plugin of that name; "NodeRestriction" in the Kubernetes documentation's
page on admission controllers. Refusals are in its words.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from pilotfish.apiserver.call import Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import conflict, forbidden, not_found
from pilotfish.apiserver.incoming import incoming_as, incoming_object
from pilotfish.apiserver.rbac.node_authorizer import LEASE_NAMESPACE
from pilotfish.apiserver.rbac.pod_references import MIRROR, references
from pilotfish.objects.meta import Object, annotations_of, labels_of, name_of, uid_of
from pilotfish.objects.resources import resource

# The object as the request would leave it.
Preview = Callable[[], Awaitable[Object]]

_RESTRICTED: Final = "node-restriction.kubernetes.io"
_KUBERNETES: Final = ("kubernetes.io", "k8s.io")
# k8s.io/kubelet/pkg/apis/well_known_labels.go
_KUBELET_DOMAINS: Final = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KUBELET_LABELS: Final = frozenset(
    {
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)


async def restrict(core: Core, node: str, method: str, call: Call, preview: Preview) -> None:
    """See that what the kubelet of a node writes is its own.

    Raises:
        StatusError: 403 when not; 404 or 409 for a Pod that is not there; what `preview` raises.
    """
    kind, subresource = call.resource, call.route.subresource
    match (kind.group, kind.plural):
        case ("", "pods"):
            _restrict_pod(core, node, method, call)
        case ("", "nodes"):
            await _restrict_node(core, node, method, call, preview)
        case ("", "serviceaccounts") if subresource == "token":
            _restrict_token(core, node, call)
        case ("coordination.k8s.io", "leases"):
            if call.route.namespace != LEASE_NAMESPACE:
                why = f'can only access leases in the "{LEASE_NAMESPACE}" system namespace'
                raise forbidden(kind, _name(call), why)
            if _name(call) != node:
                why = "can only access node lease with the same name as the requesting node"
                raise forbidden(kind, _name(call), why)
        case ("storage.k8s.io", "csinodes") if _name(call) != node:
            why = "can only access CSINode with the same name as the requesting node"
            raise forbidden(kind, _name(call), why)


def _name(call: Call) -> str:
    """The name of the object that is written; of a new one, from the body."""
    if call.route.name:
        return call.route.name
    metadata = incoming_object(call).get("metadata") or {}
    return str(metadata.get("name", ""))


def _restrict_pod(core: Core, node: str, method: str, call: Call) -> None:
    """A kubelet's Pods are those bound to its node; of these it writes just the status."""
    kind, name, subresource = call.resource, call.route.name, call.route.subresource
    if not name:
        pod = incoming_object(call)
        why = _not_a_mirror(core, node, pod)
        if why:
            raise forbidden(kind, name_of(pod), why)
        return
    entry = core.registry.latest("pods", call.key)
    if entry is None:
        raise not_found(kind, name)
    what = {
        "": f'node "{node}" can only delete pods with spec.nodeName set to itself',
        "status": f'node "{node}" can only update pod status for pods with spec.nodeName set to '
        "itself",
        "eviction": f"node {node} can only evict pods with spec.nodeName set to itself",
    }
    if subresource not in what:
        why = (
            f"unexpected pod subresource \"{subresource}\", only 'status' and 'eviction' are "
            "allowed"
        )
        raise forbidden(kind, name, why)
    if not subresource and method != "DELETE":
        operation = "CREATE" if method == "POST" else "UPDATE"
        why = f'unexpected operation "{operation}", node "{node}" can only create and delete pods'
        raise forbidden(kind, name, why)
    if entry.fields["spec.nodeName"] != node:
        raise forbidden(kind, name, what[subresource])


def _not_a_mirror(core: Core, node: str, pod: Object) -> str:
    """Why a kubelet may not create a Pod; "" if it may: it shows one that it has from a file."""
    spec: dict[str, Any] = pod.get("spec") or {}
    if MIRROR not in annotations_of(pod):
        return f'pod does not have "{MIRROR}" annotation, node "{node}" can only create mirror pods'
    if spec.get("nodeName") != node:
        return f'node "{node}" can only create pods with spec.nodeName set to itself'
    owners = pod["metadata"].get("ownerReferences") or []
    if len(owners) > 1:
        return f'node "{node}" can only create pods with a single owner reference set to itself'
    owner = owners[0] if owners else {}
    if (owner.get("apiVersion"), owner.get("kind"), owner.get("name")) != ("v1", "Node", node):
        return f'node "{node}" can only create pods with an owner reference set to itself'
    if not owner.get("controller"):
        return f'node "{node}" can only create pods with a controller owner reference set to itself'
    if owner.get("blockOwnerDeletion"):
        return f'node "{node}" must not set blockOwnerDeletion on an owner reference'
    entry = core.registry.latest("nodes", node)
    uid = uid_of(entry.decode()) if entry is not None else ""
    if owner.get("uid") != uid:
        return f"node {node} UID mismatch: expected {uid} got {owner.get('uid')}"
    unmirrored = {**pod, "metadata": {**pod["metadata"], "annotations": {}}}
    if spec.get("serviceAccountName"):
        return f'node "{node}" can not create pods that reference a service account'
    used = {name for name, _ in references(unmirrored)} - {"pods"}
    if used:
        return f'node "{node}" can not create pods that reference {min(used)}'
    return ""


async def _restrict_node(core: Core, node: str, method: str, call: Call, preview: Preview) -> None:
    """A kubelet's Node is the one of its name; by status, nothing else of it can be changed."""
    kind, name = call.resource, _name(call)
    if name != node:
        why = f'node "{node}" is not allowed to modify node "{name}"'
        raise forbidden(kind, name, why)
    if method == "DELETE" or call.route.subresource:
        return
    entry = core.registry.latest("nodes", name)
    old = entry.decode() if entry is not None and call.route.name else None
    new = await preview()
    denied = sorted(label for label in _changed(new, old) if _is_denied(label))
    if denied:
        what = "set the following labels" if old is None else "modify labels"
        why = f'node "{node}" is not allowed to {what}: {", ".join(denied)}'
        raise forbidden(kind, name, why)
    if old is None:
        return
    if (new["spec"].get("taints") or []) != (old["spec"].get("taints") or []):
        raise forbidden(kind, name, f'node "{node}" is not allowed to modify taints')
    if new["metadata"].get("ownerReferences") != old["metadata"].get("ownerReferences"):
        why = f'node "{node}" is not allowed to modify ownerReferences'
        raise forbidden(kind, name, why)


def _changed(new: Object, old: Object | None) -> Iterable[str]:
    """The labels that are set, removed or given another value."""
    after, before = labels_of(new), labels_of(old) if old is not None else {}
    return (label for label in {*after, *before} if after.get(label) != before.get(label))


def _is_denied(label: str) -> bool:
    """Whether a kubelet may not touch a label: reserved, or Kubernetes' own and not a kubelet's."""
    domain = label.rpartition("/")[0]
    if _within(domain, (_RESTRICTED,)):
        return True
    if not _within(domain, _KUBERNETES):
        return False
    return label not in _KUBELET_LABELS and not _within(domain, _KUBELET_DOMAINS)


def _within(domain: str, parents: Iterable[str]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)


def _restrict_token(core: Core, node: str, call: Call) -> None:
    """A kubelet's tokens are bound to Pods on its node, and for whom those Pods want them."""
    kind, name = call.resource, call.route.name
    spec = incoming_as(call, "authentication.k8s.io/v1", "TokenRequest").get("spec") or {}
    bound: dict[str, Any] = spec.get("boundObjectRef") or {}
    is_pod = (bound.get("apiVersion"), bound.get("kind")) == ("v1", "Pod") and bound.get("name")
    if not is_pod:
        raise forbidden(kind, name, "node requested token not bound to a pod")
    if not bound.get("uid"):
        raise forbidden(kind, name, "node requested token with a pod binding without a uid")
    entry = core.registry.latest("pods", f"{call.route.namespace}/{bound['name']}")
    if entry is None:
        raise not_found(resource("pods"), bound["name"])
    pod = entry.decode()
    if bound["uid"] != uid_of(pod):
        why = (
            f"the UID in the bound object reference ({bound['uid']}) does not match the UID in "
            "record. The object might have been deleted and then recreated"
        )
        raise conflict(kind, name, why)
    if pod["spec"].get("nodeName") != node:
        why = "node requested token bound to a pod scheduled on a different node"
        raise forbidden(kind, name, why)
    audiences = spec.get("audiences") or [""]
    if len(audiences) > 1:
        raise forbidden(kind, name, "node may only request 0 or 1 audiences")
    if audiences[0] not in _audiences(pod):
        raise forbidden(kind, name, f'audience "{audiences[0]}" not found in pod spec volume')


def _audiences(pod: Object) -> set[str]:
    """For whom the tokens in a Pod's volumes are meant; "" for the API server."""
    return {
        source["serviceAccountToken"].get("audience", "")
        for volume in pod["spec"].get("volumes") or ()
        for source in (volume.get("projected") or {}).get("sources") or ()
        if source.get("serviceAccountToken")
    }
