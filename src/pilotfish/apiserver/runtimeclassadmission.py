"""Admission of Pods by their RuntimeClass, as kube-apiserver's plugin RuntimeClass has it.

https://kubernetes.io/docs/concepts/containers/runtime-class/: a class that does not exist is
refused; one that does adds its overhead, and where its Pods may run.
"""

from __future__ import annotations

from typing import Any, Final

from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import StatusError, forbidden
from pilotfish.objects.meta import Object, name_of
from pilotfish.objects.quantities import parse_quantity
from pilotfish.objects.resources import resource

_CLASSES: Final = "runtimeclasses.node.k8s.io"


def admit_runtime_class(core: Core, pod: Object) -> None:
    """Complete a new Pod from its RuntimeClass.

    Raises:
        StatusError: 403 when the class does not exist, or the Pod contradicts it.
    """
    spec = pod["spec"]
    name = spec.get("runtimeClassName")
    if not name:
        if spec.get("overhead"):
            why = "Pod Overhead set without corresponding RuntimeClass defined Overhead"
            raise _rejected(pod, why)
        return
    entry = core.registry.latest(_CLASSES, name)
    if entry is None:
        raise _rejected(pod, f'RuntimeClass "{name}" not found')
    chosen = entry.decode()
    _give_overhead(pod, (chosen.get("overhead") or {}).get("podFixed") or {})
    _give_scheduling(pod, chosen.get("scheduling") or {})


def _give_overhead(pod: Object, fixed: dict[str, Any]) -> None:
    spec = pod["spec"]
    if spec.get("overhead") and _amounts(spec["overhead"]) != _amounts(fixed):
        raise _rejected(pod, "Pod's Overhead doesn't match RuntimeClass's defined Overhead")
    if fixed:
        spec["overhead"] = dict(fixed)


def _amounts(resources: dict[str, Any]) -> dict[str, Any]:
    return {name: parse_quantity(str(quantity)) for name, quantity in resources.items()}


def _give_scheduling(pod: Object, scheduling: dict[str, Any]) -> None:
    spec = pod["spec"]
    selector = dict(spec.get("nodeSelector") or {})
    for key, value in (scheduling.get("nodeSelector") or {}).items():
        if selector.setdefault(key, value) != value:
            why = (
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {selector[key]}"
            )
            raise forbidden(resource("pods"), name_of(pod), why)
    if selector:
        spec["nodeSelector"] = selector
    tolerations = list(spec.get("tolerations") or ())
    tolerations += [each for each in scheduling.get("tolerations") or () if each not in tolerations]
    if tolerations:
        spec["tolerations"] = tolerations


def _rejected(pod: Object, why: str) -> StatusError:
    return forbidden(resource("pods"), name_of(pod), f"pod rejected: {why}")
