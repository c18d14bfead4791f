"""Validation of Pods: almost nothing of a Pod can change once it exists."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.validation.causes import Cause, forbidden, invalid
from pilotfish.apiserver.validation.containers import validate_images
from pilotfish.apiserver.validation.podspecs import validate_pod_spec
from pilotfish.objects.meta import Object

_MAY_CHANGE = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
    "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
    "(allow it to be set to 1 if it was previously negative)"
)


def validate(obj: Object) -> list[Cause]:
    return validate_pod_spec(obj["spec"], "spec") + validate_images(obj["spec"], "spec")


def validate_update(new: Object, old: Object) -> list[Cause]:
    after: dict[str, Any] = new["spec"]
    before: dict[str, Any] = old["spec"]
    if after == before:
        return []
    causes = _validate_deadline(after, before)
    causes += _validate_tolerations(after, before)
    causes += _validate_ephemeral_containers(after, before)
    changed = sorted(_changed_fields(after, before))
    if changed:
        listed = "\n".join(f"  \tspec.{field}" for field in changed)
        causes.append(forbidden("spec", f"{_MAY_CHANGE}\n{listed}\n"))
    return causes


def _changed_fields(after: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """The fields that differ and may not."""
    changed: list[str] = []
    for field in after.keys() | before.keys():
        new, old = after.get(field), before.get(field)
        if new == old or field in ("activeDeadlineSeconds", "tolerations"):
            continue
        if field in ("containers", "initContainers"):
            changed += _changed_containers(field, new or [], old or [])
        elif field == "ephemeralContainers":
            continue  # of these, see below
        elif field == "schedulingGates":
            held = {gate.get("name") for gate in old or ()}
            if any(gate.get("name") not in held for gate in new or ()):
                changed.append(field)
        elif field == "terminationGracePeriodSeconds" and new == 1 and (old or 0) < 0:
            continue
        else:
            changed.append(field)
    return changed


def _changed_containers(
    group: str, after: list[dict[str, Any]], before: list[dict[str, Any]]
) -> list[str]:
    if len(after) != len(before):
        return [group]
    return [
        f"{group}[{index}].{field}"
        for index, (new, old) in enumerate(zip(after, before, strict=True))
        if new != old
        for field in sorted(new.keys() | old.keys())
        if field != "image" and new.get(field) != old.get(field)
    ]


def _validate_deadline(after: dict[str, Any], before: dict[str, Any]) -> list[Cause]:
    new, old = after.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if old is None or new == old:
        return []
    at = "spec.activeDeadlineSeconds"
    if new is None:
        return [invalid(at, None, "must not update from a positive integer to nil value")]
    return [invalid(at, new, "must be less than or equal to previous value")] if new > old else []


def _validate_tolerations(after: dict[str, Any], before: dict[str, Any]) -> list[Cause]:
    # How long a taint is tolerated may change, whether it is may not.
    kept = {_tolerated(toleration) for toleration in after.get("tolerations") or ()}
    if all(_tolerated(toleration) in kept for toleration in before.get("tolerations") or ()):
        return []
    why = "existing toleration can not be modified except its tolerationSeconds"
    return [forbidden("spec.tolerations", why)]


def _validate_ephemeral_containers(after: dict[str, Any], before: dict[str, Any]) -> list[Cause]:
    """Some may be added (by their subresource alone); those that are there stay as they are."""
    kept = {each.get("name"): each for each in after.get("ephemeralContainers") or ()}
    causes = []
    for each in before.get("ephemeralContainers") or ():
        name = each.get("name", "")
        if kept.get(name) != each:
            what = "changed" if name in kept else "removed"
            why = f'existing ephemeral containers "{name}" may not be {what}\n'
            causes.append(forbidden("spec.ephemeralContainers", why))
    return causes


def _tolerated(toleration: dict[str, Any]) -> tuple[str, ...]:
    """The taints that a toleration tolerates, whatever for how long."""
    return tuple(toleration.get(field, "") for field in ("key", "operator", "value", "effect"))
