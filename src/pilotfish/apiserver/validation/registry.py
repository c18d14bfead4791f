"""Which checks a kind gets.

Kinds that are not named here are checked for what every object has, and for the fields that the
schema says they must have; types and unknown fields are the decoder's business.
"""

from __future__ import annotations

from collections.abc import Callable

from pilotfish.apiserver.validation import services
from pilotfish.apiserver.validation.causes import Cause
from pilotfish.apiserver.validation.metadata import validate_metadata, validate_metadata_update
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource

_Kind = tuple[str, str]

_VALIDATE: dict[_Kind, Callable[[Object], list[Cause]]] = {
    ("", "Service"): services.validate,
}

_VALIDATE_UPDATE: dict[_Kind, Callable[[Object, Object], list[Cause]]] = {
    ("", "Service"): services.validate_update,
}


def validate_create(resource: Resource, obj: Object) -> list[Cause]:
    """What is wrong with a defaulted and prepared object; nothing when it may be stored."""
    causes = validate_metadata(resource, obj)
    validate = _VALIDATE.get((resource.group, resource.kind))
    if validate is not None:
        causes += validate(obj)
    return causes


def validate_update(
    resource: Resource, new: Object, old: Object, subresource: str = ""
) -> list[Cause]:
    """What is wrong with the new version of an object, in itself and as a change of the old."""
    causes = validate_metadata_update(new, old)
    if subresource == "status":
        return causes
    kind = (resource.group, resource.kind)
    validate_change = _VALIDATE_UPDATE.get(kind)
    if validate_change is not None:
        causes += validate_change(new, old)
    validate = _VALIDATE.get(kind)
    if validate is not None:
        causes += validate(new)
    return causes
