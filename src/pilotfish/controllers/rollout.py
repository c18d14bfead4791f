"""A Deployment's rollout: which ReplicaSet is the new one, and how large each should be.

The thinking of the Deployment controller, without I/O ("Deployments" in the
Kubernetes documentation: Rolling Update Deployment, Proportional scaling,
Clean up Policy, Rolling Back).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pilotfish.controllers.pod_template import significant, template_hash
from pilotfish.objects.meta import (
    Object,
    annotations_of,
    is_deleting,
    name_of,
    namespace_of,
    owner_reference,
)

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"

# Annotations that belong to the Deployment or to one ReplicaSet and are not handed down.
_OWN_ANNOTATIONS = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        REVISION,
        REVISION_HISTORY,
        DESIRED_REPLICAS,
        MAX_REPLICAS,
    }
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a rolling update may leave the wanted number of replicas."""

    max_surge: int
    max_unavailable: int


def replicas_of(owner: Mapping[str, Any]) -> int:
    """`spec.replicas`, 1 when absent."""
    number = owner["spec"].get("replicas")
    return 1 if number is None else int(number)


def is_recreate(deployment: Object) -> bool:
    """Whether the old Pods must be gone before the new ones come."""
    return (deployment["spec"].get("strategy") or {}).get("type") == "Recreate"


def bounds(deployment: Object) -> Bounds:
    """maxSurge (rounded up) and maxUnavailable (rounded down) in Pods; never both 0."""
    if is_recreate(deployment):
        return Bounds(0, 0)
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    wanted = replicas_of(deployment)
    surge = scaled(rolling.get("maxSurge", "25%"), wanted, math.ceil)
    unavailable = scaled(rolling.get("maxUnavailable", "25%"), wanted, math.floor)
    if surge == 0 and unavailable == 0:
        unavailable = 1  # both round to nothing: the update must still be able to move
    return Bounds(surge, min(unavailable, wanted) if wanted else unavailable)


def scaled(value: int | str, total: int, rounding: Any) -> int:
    """An int-or-percent field in Pods."""
    if isinstance(value, int):
        return value
    if value.endswith("%"):
        return int(rounding(int(value[:-1]) * total / 100))
    return int(value)


def same_template(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two Pod templates differ in nothing but `pod-template-hash`."""
    return bool(_without_hash(one) == _without_hash(other))


def _without_hash(template: Mapping[str, Any]) -> Any:
    metadata = template.get("metadata") or {}
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != HASH_LABEL}
    return significant({**template, "metadata": {**metadata, "labels": labels}})


def find_new(deployment: Object, replica_sets: Iterable[Object]) -> Object | None:
    """The ReplicaSet with the Deployment's own template; the oldest if there are several."""
    template = deployment["spec"]["template"]
    return min(
        (rs for rs in replica_sets if same_template(rs["spec"]["template"], template)),
        key=by_age,
        default=None,
    )


def by_age(obj: Object) -> tuple[str, str]:
    """Sort key: oldest first, then by name."""
    return obj["metadata"].get("creationTimestamp", ""), name_of(obj)


def revision_of(obj: Object) -> int:
    """The revision that the object's annotation carries; 0 without one."""
    try:
        return int(annotations_of(obj).get(REVISION, "0"))
    except ValueError:
        return 0  # an annotation that a user has spoilt counts as none


def inherited_annotations(deployment: Object) -> dict[str, str]:
    """The Deployment's annotations that its ReplicaSets carry too."""
    annotations = annotations_of(deployment)
    return {key: value for key, value in annotations.items() if key not in _OWN_ANNOTATIONS}


def new_annotations(deployment: Object, new: Object | None, old: Iterable[Object]) -> Object:
    """The annotations of the new ReplicaSet: what it has, what it inherits, its revision.

    A ReplicaSet that becomes the new one again (a rollback) gets the next
    revision, and remembers the ones it had.
    """
    annotations = dict(annotations_of(new)) if new else {}
    revision = max((revision_of(rs) for rs in old), default=0) + 1
    before = revision_of(new) if new else 0
    annotations.update(inherited_annotations(deployment))
    if before < revision:
        annotations[REVISION] = str(revision)
        if before:
            history = annotations.get(REVISION_HISTORY)
            annotations[REVISION_HISTORY] = f"{history},{before}" if history else str(before)
    return annotations | size_annotations(deployment)


def size_annotations(deployment: Object) -> dict[str, str]:
    """What a ReplicaSet notes of the Deployment's size, for proportional scaling."""
    wanted = replicas_of(deployment)
    return {
        DESIRED_REPLICAS: str(wanted),
        MAX_REPLICAS: str(wanted + bounds(deployment).max_surge),
    }


def make_replica_set(
    deployment: Object, annotations: Mapping[str, str], collisions: int, replicas: int
) -> Object:
    """The ReplicaSet for the Deployment's present template."""
    spec = deployment["spec"]
    digest = template_hash(spec["template"], collisions)
    described = spec["template"].get("metadata") or {}
    labels = {**(described.get("labels") or {}), HASH_LABEL: digest}
    selector = dict(spec.get("selector") or {})
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}
    wanted: Object = {
        "replicas": replicas,
        "selector": selector,
        "template": {**spec["template"], "metadata": {**described, "labels": labels}},
    }
    if spec.get("minReadySeconds"):
        wanted["minReadySeconds"] = spec["minReadySeconds"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name_of(deployment)}-{digest}",
            "namespace": namespace_of(deployment),
            "labels": labels,
            "annotations": dict(annotations),
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": wanted,
    }


def new_size(deployment: Object, everyone: Sequence[Object], new_replicas: int) -> int:
    """How large the new ReplicaSet may be at this moment.

    Args:
        deployment: the Deployment.
        everyone: all its ReplicaSets, the new one included.
        new_replicas: the present `spec.replicas` of the new one.
    """
    wanted = replicas_of(deployment)
    if is_recreate(deployment):
        return wanted
    total = sum(replicas_of(rs) for rs in everyone)
    room = wanted + bounds(deployment).max_surge - total
    if room <= 0:
        return new_replicas
    return new_replicas + min(room, wanted - new_replicas)


def old_sizes(deployment: Object, new: Object, old: Sequence[Object]) -> dict[str, int]:
    """The sizes to give old ReplicaSets in a rolling update, by name; only those that change.

    Pods that are not available go first, since removing them costs nothing;
    then as many as `maxUnavailable` allows, oldest ReplicaSet first.
    """
    total_old = sum(replicas_of(rs) for rs in old)
    if total_old == 0:
        return {}
    minimum = replicas_of(deployment) - bounds(deployment).max_unavailable
    new_unavailable = replicas_of(new) - _available(new)
    removable = total_old + replicas_of(new) - minimum - new_unavailable
    if removable <= 0:
        return {}
    sizes = {name_of(rs): replicas_of(rs) for rs in old}
    unhealthy_removed = 0
    for rs in sorted(old, key=by_age):
        unavailable = max(0, sizes[name_of(rs)] - _available(rs))
        step = min(removable - unhealthy_removed, unavailable)
        sizes[name_of(rs)] -= step
        unhealthy_removed += step
    available = sum(_available(rs) for rs in [*old, new])
    healthy = available - minimum
    for rs in sorted(old, key=by_age):
        step = max(0, min(healthy, sizes[name_of(rs)]))
        sizes[name_of(rs)] -= step
        healthy -= step
    return {name_of(rs): sizes[name_of(rs)] for rs in old if sizes[name_of(rs)] != replicas_of(rs)}


def _available(rs: Object) -> int:
    return int((rs.get("status") or {}).get("availableReplicas", 0))


def was_scaled(deployment: Object, replica_sets: Iterable[Object]) -> bool:
    """Whether the Deployment's size has changed since its ReplicaSets last were sized."""
    return any(
        annotations_of(rs).get(DESIRED_REPLICAS, str(replicas_of(deployment)))
        != str(replicas_of(deployment))
        for rs in replica_sets
        if replicas_of(rs) > 0
    )


def proportional_sizes(
    deployment: Object, new: Object | None, everyone: Sequence[Object]
) -> dict[str, int]:
    """Sizes after the Deployment was scaled, perhaps in the middle of a rollout, by name.

    The change is spread over the ReplicaSets in proportion to their sizes;
    what rounding leaves goes to the largest. A single active ReplicaSet takes
    the whole; one that is complete already makes the others superfluous.
    """
    wanted = replicas_of(deployment)
    active = [rs for rs in everyone if replicas_of(rs) > 0]
    if len(active) <= 1:
        newest = active[0] if active else new or max(everyone, key=by_age, default=None)
        return {name_of(newest): wanted} if newest is not None else {}
    if new is not None and replicas_of(new) == wanted == _available(new):
        return {name_of(rs): 0 for rs in active if rs is not new}
    if is_recreate(deployment):
        return {}
    total = sum(replicas_of(rs) for rs in active)
    allowed = wanted + bounds(deployment).max_surge if wanted else 0
    change = allowed - total
    # Larger first; among equals the newer grows first and the older shrinks first.
    ranked = sorted(active, key=by_age, reverse=change > 0)
    ranked.sort(key=replicas_of, reverse=True)
    sizes: dict[str, int] = {}
    left = change
    for rs in ranked:
        present = replicas_of(rs)
        before = int(annotations_of(rs).get(MAX_REPLICAS, total) or total)
        share = _round_half_up(present * allowed / before) - present
        share = min(share, left) if change > 0 else max(share, left)
        sizes[name_of(rs)] = max(0, present + share)
        left -= share
    if left:
        sizes[name_of(ranked[0])] = max(0, sizes[name_of(ranked[0])] + left)
    return sizes


def _round_half_up(number: float) -> int:
    return math.floor(number + 0.5)


def surplus_history(deployment: Object, old: Iterable[Object]) -> list[Object]:
    """Old ReplicaSets beyond `revisionHistoryLimit`, of those that are empty."""
    limit = deployment["spec"].get("revisionHistoryLimit", 10)
    empty = [rs for rs in old if _is_empty(rs)]
    excess = len([rs for rs in old if not is_deleting(rs)]) - limit
    if excess <= 0:
        return []
    return sorted(empty, key=lambda rs: (revision_of(rs), by_age(rs)))[:excess]


def _is_empty(rs: Object) -> bool:
    status = rs.get("status") or {}
    seen = status.get("observedGeneration", 0) >= rs["metadata"].get("generation", 0)
    return replicas_of(rs) == 0 and not status.get("replicas") and seen and not is_deleting(rs)
