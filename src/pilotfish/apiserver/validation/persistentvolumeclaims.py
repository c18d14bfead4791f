"""Validation of PersistentVolumeClaims."""

from __future__ import annotations

from pilotfish.apiserver.validation.accessmodes import validate_access_modes
from pilotfish.apiserver.validation.causes import (
    Cause,
    forbidden,
    invalid,
    required,
)
from pilotfish.objects.meta import Object
from pilotfish.objects.quantities import parse_quantity

_MAY_CHANGE = ("resources", "volumeAttributesClassName", "volumeName")


def validate(obj: Object) -> list[Cause]:
    spec = obj["spec"]
    causes = validate_access_modes(spec.get("accessModes") or ())
    requests = (spec.get("resources") or {}).get("requests") or {}
    if "storage" not in requests:
        return [*causes, required("spec.resources[storage]")]
    try:
        size = parse_quantity(requests["storage"])
    except ValueError as error:
        return [*causes, invalid("spec.resources[storage]", requests["storage"], str(error))]
    if size <= 0:
        shown = str(requests["storage"])
        causes.append(invalid("spec.resources[storage]", shown, "must be greater than zero"))
    return causes


def validate_update(new: Object, old: Object) -> list[Cause]:
    after, before = new["spec"], old["spec"]
    fields = (after.keys() | before.keys()).difference(_MAY_CHANGE)
    if all(after.get(field) == before.get(field) for field in fields):
        return []
    why = (
        "spec is immutable after creation except resources.requests and "
        "volumeAttributesClassName for bound claims"
    )
    return [forbidden("spec", why)]
