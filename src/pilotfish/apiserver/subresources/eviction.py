"""Eviction: a deletion of a Pod that its disruption budgets may refuse."""

from __future__ import annotations

from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.deleting import delete_object, options_of
from pilotfish.apiserver.errors import (
    bad_request,
    internal,
    not_found,
    success,
    too_many_requests,
)
from pilotfish.apiserver.incoming import incoming_as
from pilotfish.apiserver.selection import Selection
from pilotfish.apiserver.updating import replace
from pilotfish.objects.meta import Object, labels_of, name_of
from pilotfish.objects.pods import is_ready, is_terminal
from pilotfish.objects.resources import resource
from pilotfish.objects.selectors import label_selector
from pilotfish.objects.times import now


async def evict(core: Core, call: Call) -> Answer:
    """POST an Eviction.

    Raises:
        StatusError: 400 for the name of another Pod or none, 404, 429 when a
            PodDisruptionBudget does not allow it, 500 when several budgets cover the Pod.
    """
    eviction = incoming_as(call, "policy/v1", "Eviction")
    name = (eviction.get("metadata") or {}).get("name", "")
    if name != call.route.name:
        raise bad_request("name in URL does not match name in Eviction object")
    options = options_of(eviction.get("deleteOptions") or {}, call)
    entry = core.registry.latest("pods", call.key)
    if entry is None:
        raise not_found(call.resource, call.route.name)
    pod = entry.decode()
    if not is_terminal(pod) and pod.get("status", {}).get("phase") != "Pending":
        await _ask_budget(core, call, pod, options.dry_run)
    await delete_object(core, call.resource, call.key, options)
    return Answer(success(201), 201)


async def _ask_budget(core: Core, call: Call, pod: Object, dry_run: bool) -> None:
    """Take the disruption off the Pod's budget, if it has one."""
    kind = resource("poddisruptionbudgets.policy")
    selection = Selection(namespace=call.route.namespace)
    budgets = [
        budget
        for entry in core.registry.collection(kind.full_name).select(selection)
        if _covers(budget := entry.decode(), pod)
    ]
    if not budgets:
        return
    if len(budgets) > 1:
        raise internal(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource "
            "does not support."
        )
    budget_name = name_of(budgets[0])
    if not is_ready(pod) and budgets[0]["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return

    def spent(budget: Object) -> Object:
        status = budget.setdefault("status", {})
        if status.get("disruptionsAllowed", 0) <= 0:
            cause = {
                "reason": "DisruptionBudget",
                "message": f"The disruption budget {budget_name} needs "
                f"{status.get('desiredHealthy', 0)} healthy pods and has "
                f"{status.get('currentHealthy', 0)} currently",
            }
            raise too_many_requests(
                "Cannot evict pod as it would violate the pod's disruption budget.", [cause]
            )
        status["disruptionsAllowed"] -= 1
        status.setdefault("disruptedPods", {})[name_of(pod)] = now()
        return budget

    key = f"{call.route.namespace}/{budget_name}"
    await replace(core, kind, key, spent, subresource="status", dry_run=dry_run)


def _covers(budget: Object, pod: Object) -> bool:
    selector = budget["spec"].get("selector")
    return selector is not None and label_selector(selector).matches(labels_of(pod))
