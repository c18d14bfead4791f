"""PodDisruptionBudget: how many of the Pods it covers may be evicted now.

Evictions ask the budget's status (`disruptionsAllowed`) and write down whom they took
(`disruptedPods`); this controller counts anew whenever a Pod, its controller or the budget changes.
https://kubernetes.io/docs/tasks/run-application/configure-pdb/
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pilotfish.client.errors import Conflict, NotFound
from pilotfish.controllers.controller import Context, Controller, status_patch
from pilotfish.objects.conditions import set_condition
from pilotfish.objects.meta import (
    Object,
    controller_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from pilotfish.objects.pods import is_ready, is_terminal
from pilotfish.objects.selectors import label_selector
from pilotfish.objects.times import age_s

log = logging.getLogger(__name__)

BUDGETS = "poddisruptionbudgets.policy"
# An evicted Pod that is still there so long after was not evicted after all.
DISRUPTION_TIMEOUT_S = 120.0
_CONDITION = "DisruptionAllowed"
# Kinds that have a scale of their own. A ReplicaSet of a Deployment counts by its Deployment.
_SCALED = {
    "ReplicaSet": "replicasets.apps",
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
    "ReplicationController": "replicationcontrollers",
}

# The replicas that a Pod's controllers want: (uid of the controller, number); None without one.
ScaleOf = Callable[[Object], tuple[str, int] | None]


def share(value: int | str, total: int) -> int:
    """A number of Pods from `2` or `"50%"`, percentages rounded up as Kubernetes does.

    Raises:
        ValueError: for other text.
    """
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        raise ValueError(f"{value!r} is neither a number nor a percentage")
    return -(-int(value[:-1]) * total // 100)


def wanted_status(budget: Object, pods: Sequence[Object], scale_of: ScaleOf) -> Object:
    """The status of a budget, for the Pods that its selector matches.

    Raises:
        ValueError: when the budget cannot be counted; says why.
    """
    spec, old = budget["spec"], budget.get("status") or {}
    live = [pod for pod in pods if not is_terminal(pod)]
    expected = _expected(spec, live, scale_of)
    if "maxUnavailable" in spec:
        desired = max(expected - share(spec["maxUnavailable"], expected), 0)
    else:
        desired = share(spec.get("minAvailable", 1), expected)
    disrupted = _still_disrupted(old.get("disruptedPods") or {}, live)
    healthy = sum(
        is_ready(pod) and not is_deleting(pod) and name_of(pod) not in disrupted for pod in live
    )
    allowed = max(healthy - desired, 0) if expected else 0
    conditions = [dict(condition) for condition in old.get("conditions") or ()]
    reason = "SufficientPods" if allowed else "InsufficientPods"
    set_condition(conditions, _CONDITION, "True" if allowed else "False", reason)
    generation = budget["metadata"].get("generation", 0)
    for condition in conditions:
        condition["observedGeneration"] = generation
    status: Object = {
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "disruptionsAllowed": allowed,
        "expectedPods": expected,
        "observedGeneration": generation,
        "conditions": conditions,
    }
    return status | ({"disruptedPods": disrupted} if disrupted else {})


def _expected(spec: Mapping[str, Any], pods: Sequence[Object], scale_of: ScaleOf) -> int:
    """How many Pods there should be: a plain minAvailable counts those there are."""
    if "maxUnavailable" not in spec and isinstance(spec.get("minAvailable", 1), int):
        return len(pods)
    scales: dict[str, int] = {}
    for pod in pods:
        scale = scale_of(pod)
        if scale is None:
            raise ValueError(f"found no controller with a scale for pod {name_of(pod)!r}")
        scales[scale[0]] = scale[1]
    return sum(scales.values())


def _still_disrupted(disrupted: Mapping[str, str], pods: Sequence[Object]) -> dict[str, str]:
    there = {name_of(pod) for pod in pods if not is_deleting(pod)}
    return {
        name: since
        for name, since in disrupted.items()
        if name in there and age_s(since) < DISRUPTION_TIMEOUT_S
    }


class DisruptionController(Controller):
    """Keeps the status of every PodDisruptionBudget."""

    name = "disruption-controller"
    workers = 2

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._budgets = self.informer(BUDGETS, eager=False)
        self._pods = self.informer("pods")
        self._owners = {
            kind: self.informer(resource, eager=False) for kind, resource in _SCALED.items()
        }
        self._budgets.on_change(self._budget_changed)
        self._pods.on_change(self._pod_changed)
        for owners in self._owners.values():
            owners.on_change(self._owner_changed)

    def _budget_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.enqueue(new)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        pods = [pod for pod in (old, new) if pod is not None]
        for budget in self._budgets.by_index("namespace", namespace_of(pods[0])):
            if any(_covers(budget, pod) for pod in pods):
                self.enqueue(budget)

    def _owner_changed(self, old: Object | None, new: Object | None) -> None:
        owner = new or old
        if owner is not None and (old is None or new is None or _replicas(old) != _replicas(new)):
            for budget in self._budgets.by_index("namespace", namespace_of(owner)):
                self.enqueue(budget)

    async def sync(self, key: str) -> None:
        budget = self._budgets.get(key)
        if budget is None or is_deleting(budget):
            return
        namespace = namespace_of(budget)
        pods = [pod for pod in self._pods.by_index("namespace", namespace) if _covers(budget, pod)]
        try:
            status = wanted_status(budget, pods, self._scale_of)
        except ValueError as error:
            self.events.record(budget, "Warning", "CalculateExpectedPodCountFailed", str(error))
            status = {**(budget.get("status") or {}), "disruptionsAllowed": 0}
        if status.get("disruptedPods"):
            self.queue.add_after(key, DISRUPTION_TIMEOUT_S)
        await self._write(budget, status)

    async def _write(self, budget: Object, status: Object) -> None:
        """Write a status unless an eviction has written one since: that must not be forgotten."""
        patch = status_patch(budget.get("status") or {}, status)
        if not patch:
            return
        version = budget["metadata"]["resourceVersion"]
        body = {"metadata": {"resourceVersion": version}, "status": patch}
        name, namespace = name_of(budget), namespace_of(budget)
        try:
            await self.client.patch(BUDGETS, name, body, namespace, subresource="status")
        except (Conflict, NotFound) as error:
            # The change that we did not know of yet brings the budget back here.
            log.debug("PodDisruptionBudget %s/%s: %s", namespace, name, error)

    def _scale_of(self, obj: Object) -> tuple[str, int] | None:
        """The topmost controller of an object that has a scale."""
        reference = controller_of(obj)
        if reference is None or reference["kind"] not in self._owners:
            return None
        informer = self._owners[reference["kind"]]
        owner = informer.get(f"{namespace_of(obj)}/{reference['name']}")
        if owner is None or uid_of(owner) != reference["uid"]:
            return None
        return self._scale_of(owner) or (uid_of(owner), _replicas(owner))


def _covers(budget: Object, pod: Object) -> bool:
    selector = budget["spec"].get("selector")
    return selector is not None and label_selector(selector).matches(labels_of(pod))


def _replicas(owner: Object) -> int:
    replicas: int = owner["spec"].get("replicas", 1)
    return replicas
