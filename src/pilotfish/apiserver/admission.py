"""Admission of Pods by other objects: their PriorityClass and their ServiceAccount.

What kube-apiserver's plugins Priority and ServiceAccount look up; what they fill in without
looking is `strategy.podadmission`.
"""

from __future__ import annotations

from typing import Any, Final

from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import forbidden
from pilotfish.apiserver.selection import Selection
from pilotfish.objects.meta import Object, name_of, namespace_of
from pilotfish.objects.resources import resource

_CLASSES: Final = "priorityclasses.scheduling.k8s.io"
# Every namespace gets one, but a moment after it exists: new Pods do not have to wait for it.
_DEFAULT_ACCOUNT: Final = "default"


def admit_pod(core: Core, pod: Object) -> None:
    """Complete a new Pod from the objects that it refers to, before the strategy does the rest.

    Raises:
        StatusError: 403 when one of them does not exist.
    """
    spec = pod["spec"]
    _give_priority(core, pod, spec)
    account = spec.get("serviceAccountName") or spec.get("serviceAccount") or _DEFAULT_ACCOUNT
    entry = core.registry.latest("serviceaccounts", f"{namespace_of(pod)}/{account}")
    if entry is None:
        if account != _DEFAULT_ACCOUNT:
            why = (
                f"error looking up service account {namespace_of(pod)}/{account}: "
                f'serviceaccount "{account}" not found'
            )
            raise forbidden(resource("pods"), name_of(pod), why)
        return
    found = entry.decode()
    if "automountServiceAccountToken" in found:
        spec.setdefault("automountServiceAccountToken", found["automountServiceAccountToken"])
    if found.get("imagePullSecrets") and not spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = found["imagePullSecrets"]


def _give_priority(core: Core, pod: Object, spec: dict[str, Any]) -> None:
    name = spec.get("priorityClassName", "")
    if name:
        entry = core.registry.latest(_CLASSES, name)
        if entry is None:
            why = f"no PriorityClass with name {name} was found"
            raise forbidden(resource("pods"), name_of(pod), why)
        chosen = entry.decode()
    else:
        classes = core.registry.collection(_CLASSES).select(Selection())
        decoded = (entry.decode() for entry in classes)
        defaults = [each for each in decoded if each.get("globalDefault")]
        if not defaults:
            return
        chosen = min(defaults, key=lambda each: int(each.get("value", 0)))
        spec["priorityClassName"] = name_of(chosen)
    spec["priority"] = chosen.get("value", 0)
    spec.setdefault("preemptionPolicy", chosen.get("preemptionPolicy", "PreemptLowerPriority"))
