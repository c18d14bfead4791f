"""A StatefulSet's Pods by number: which comes next, which goes next, which is replaced.

The thinking of the StatefulSet controller, without I/O ("StatefulSets:
Deployment and Scaling Guarantees, Update strategies" in the Kubernetes
documentation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pilotfish.controllers.pod_template import pod_from_template
from pilotfish.controllers.replicas import available_in_s
from pilotfish.controllers.revisions import HASH_LABEL
from pilotfish.controllers.rollout import replicas_of
from pilotfish.objects.meta import Object, is_deleting, labels_of, name_of
from pilotfish.objects.pods import is_ready, is_terminal

POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name"
POD_INDEX_LABEL = "apps.kubernetes.io/pod-index"


@dataclass(slots=True)
class OrdinalPlan:
    """The step: numbers to create (with the revision each gets) and Pods to delete."""

    create: list[tuple[int, str]] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)


def ordinal_of(stateful_set: Object, pod: Object) -> int | None:
    """The Pod's number, or None when its name is none of this StatefulSet's."""
    prefix, _, number = name_of(pod).rpartition("-")
    if prefix != name_of(stateful_set) or not number.isdecimal():
        return None
    return int(number)


def numbered_pod(stateful_set: Object, template: Object, ordinal: int, revision: str) -> Object:
    """The Pod of a number: its name and its place in DNS never change."""
    name = f"{name_of(stateful_set)}-{ordinal}"
    pod = pod_from_template(template, stateful_set, name, f"{name_of(stateful_set)}-")
    labels = pod["metadata"].setdefault("labels", {})
    labels |= {POD_NAME_LABEL: name, POD_INDEX_LABEL: str(ordinal), HASH_LABEL: revision}
    pod["spec"]["hostname"] = name
    if stateful_set["spec"].get("serviceName"):
        pod["spec"]["subdomain"] = stateful_set["spec"]["serviceName"]
    return pod


def plan_ordinals(
    stateful_set: Object, pods: Sequence[Object], current: str, update: str
) -> OrdinalPlan:
    """The step towards Pods 0 to N-1 of the update revision.

    Args:
        stateful_set: the StatefulSet.
        pods: its Pods.
        current: the revision that Pods below the partition have.
        update: the revision of the present template.
    """
    spec = stateful_set["spec"]
    start = (spec.get("ordinals") or {}).get("start", 0)
    wanted = range(start, start + replicas_of(stateful_set))
    in_order = spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady"
    by_number = {ordinal_of(stateful_set, pod): pod for pod in pods}
    plan = OrdinalPlan()
    for number in wanted:
        pod = by_number.get(number)
        if pod is None:
            below = number < start + _partition(stateful_set)
            plan.create.append((number, current if below else update))
        elif is_terminal(pod) and not is_deleting(pod):
            plan.delete.append(pod)  # it comes again under the same name
        if in_order and (pod is None or not is_healthy(stateful_set, pod)):
            return plan
    surplus = [number for number in by_number if number is not None and number not in wanted]
    # A Pod that goes while another one is unhealthy could be the one that still served. The
    # unhealthy one with the lowest number may go itself: else a scale-down would never end.
    unhealthy = next(
        (at for at in sorted(surplus) if not is_healthy(stateful_set, by_number[at])), None
    )
    for number in sorted(surplus, reverse=True):
        pod = by_number[number]
        if in_order and number != unhealthy and not is_healthy(stateful_set, pod):
            return plan
        if not is_deleting(pod):
            plan.delete.append(pod)
        if in_order:
            return plan
    if not plan.create and not plan.delete:
        plan.delete = _outdated(stateful_set, [by_number[number] for number in wanted], update)
    return plan


def _partition(stateful_set: Object) -> int:
    strategy = stateful_set["spec"].get("updateStrategy") or {}
    return int((strategy.get("rollingUpdate") or {}).get("partition") or 0)


def _outdated(stateful_set: Object, pods: Sequence[Object], update: str) -> list[Object]:
    """The Pod to replace next: from the last to the partition, one at a time."""
    strategy = stateful_set["spec"].get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return []
    for pod in reversed(pods[_partition(stateful_set) :]):
        if labels_of(pod).get(HASH_LABEL) != update:
            return [] if is_deleting(pod) else [pod]
        if not is_healthy(stateful_set, pod):
            return []
    return []


def is_healthy(stateful_set: Object, pod: Object) -> bool:
    """Whether the next Pod may come: this one is available and not on its way out."""
    min_ready_s = stateful_set["spec"].get("minReadySeconds", 0)
    return not is_deleting(pod) and available_in_s(pod, min_ready_s) == 0


def ordinal_status(
    stateful_set: Object, pods: Sequence[Object], current: str, update: str
) -> Object:
    """The StatefulSet's status; when all Pods are of the update revision, it is the current one."""
    alive = [pod for pod in pods if not is_terminal(pod)]
    min_ready_s = stateful_set["spec"].get("minReadySeconds", 0)

    def of(revision: str) -> int:
        return sum(
            labels_of(pod).get(HASH_LABEL) == revision and not is_deleting(pod) for pod in alive
        )

    ready = sum(is_ready(pod) and not is_deleting(pod) for pod in alive)
    wanted = replicas_of(stateful_set)
    if of(update) == wanted == ready == len(alive):
        current = update
    counts = {
        "readyReplicas": ready,
        "currentReplicas": of(current),
        "updatedReplicas": of(update),
    }
    status: Object = {
        "replicas": len(alive),
        "availableReplicas": sum(
            available_in_s(pod, min_ready_s) == 0 and not is_deleting(pod) for pod in alive
        ),
        "currentRevision": current,
        "updateRevision": update,
        "observedGeneration": stateful_set["metadata"].get("generation", 0),
    }
    observed = stateful_set.get("status") or {}
    status["collisionCount"] = observed.get("collisionCount", 0)
    return status | {name: count for name, count in counts.items() if count}
