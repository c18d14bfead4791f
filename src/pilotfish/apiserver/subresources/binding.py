"""Binding: the scheduler's word that a Pod belongs to a node."""

from __future__ import annotations

from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import bad_request, conflict, success
from pilotfish.apiserver.incoming import incoming_as
from pilotfish.apiserver.updating import check_preconditions, replace
from pilotfish.objects.conditions import set_condition
from pilotfish.objects.meta import Object, is_deleting
from pilotfish.objects.resources import resource


async def bind(core: Core, call: Call) -> Answer:
    """POST a Binding, to the Pod's binding subresource or to the namespace's bindings.

    Raises:
        StatusError: 400, 404, or 409 for a Pod that has a node or is being deleted.
    """
    binding = incoming_as(call, "v1", "Binding")
    target = binding.get("target") or {}
    metadata = binding.get("metadata") or {}
    node = target.get("name", "")
    name = call.route.name or metadata.get("name", "")
    if target.get("kind", "Node") not in ("", "Node") or not node:
        raise bad_request("a Binding's target is a Node, by its name")
    if metadata.get("name", name) != name:
        raise bad_request("the name of the Binding is not the name of the Pod in the URL")
    pods = resource("pods")

    def bound(pod: Object) -> Object:
        check_preconditions(pods, name, {"uid": metadata.get("uid")}, pod["metadata"])
        if is_deleting(pod):
            why = f"pod {name} is being deleted, cannot be assigned to a host"
            raise conflict(pods, name, why)
        assigned = pod["spec"].get("nodeName")
        if assigned:
            why = f'pod {name} is already assigned to node "{assigned}"'
            raise conflict(pods, name, why)
        pod["spec"]["nodeName"] = node
        if metadata.get("annotations"):
            annotations = pod["metadata"].setdefault("annotations", {})
            annotations.update(metadata["annotations"])
        conditions = pod.setdefault("status", {}).setdefault("conditions", [])
        set_condition(conditions, "PodScheduled", "True")
        return pod

    key = f"{call.route.namespace}/{name}"
    await replace(core, pods, key, bound, subresource="binding", dry_run=call.dry_run)
    return Answer(success(201), 201)
