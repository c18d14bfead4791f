"""Pods: pending at first, with the class of service that their resources give them."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.strategy import podadmission
from pilotfish.apiserver.strategy.qos import qos_class
from pilotfish.objects.meta import Object


def prepare_for_create(obj: Object) -> None:
    spec: dict[str, Any] = obj["spec"]
    podadmission.admit(spec)
    spec.pop("ephemeralContainers", None)
    obj["status"] = {"phase": "Pending", "qosClass": qos_class(spec)}


def prepare_for_update(new: Object, old: Object) -> None:
    """An update that leaves out what admission added does not take it away."""
    podadmission.keep(new["spec"], old["spec"])


def keep_ephemeral_containers(new: Object, old: Object) -> None:
    """Only their subresource adds to these."""
    kept = old["spec"].get("ephemeralContainers")
    if kept is None:
        new["spec"].pop("ephemeralContainers", None)
    else:
        new["spec"]["ephemeralContainers"] = kept


def keep_all_but_ephemeral_containers(new: Object, old: Object) -> None:
    wanted = new["spec"].get("ephemeralContainers")
    new["spec"] = {**old["spec"]}
    if wanted is not None:
        new["spec"]["ephemeralContainers"] = wanted
    new["status"] = old.get("status", {})
