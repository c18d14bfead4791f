"""Objects of custom resources: what decoding, defaulting, strategy and validation do to them."""

from __future__ import annotations

from typing import Final

from pilotfish.apiserver.custom.defaulting import fill_defaults
from pilotfish.apiserver.custom.embedded_checks import validate_embedded
from pilotfish.apiserver.custom.pruning import prune
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.custom.validating import UNKNOWN, validate_value
from pilotfish.apiserver.validation.causes import Cause, invalid
from pilotfish.objects.meta import Object


def prune_object(resource: CustomResource, obj: Object) -> list[str]:
    """Drop what the schema does not name, in place; returns what, as a strict decoder says it."""
    return [f'unknown field "{path}"' for path in prune(obj, resource.schema)]


def to_served(resource: CustomResource, obj: Object) -> Object:
    """A stored object in the version of a resource (conversion strategy None), in place.

    What was stored under an earlier schema is pruned and completed by the present one.
    """
    obj["apiVersion"] = resource.api_version
    prune(obj, resource.schema)
    fill_defaults(obj, resource.schema)
    return obj


def to_stored(resource: CustomResource, obj: Object) -> Object:
    """An object as it is stored: in the storage version."""
    return {**obj, "apiVersion": f"{resource.group}/{resource.storage_version}"}


def prepare_for_create(resource: CustomResource, obj: Object) -> None:
    """Make a new object ready to be stored, in place: first generation, no status."""
    obj["metadata"]["generation"] = 1
    if "status" in resource.subresources:
        obj.pop("status", None)


def prepare_for_update(
    resource: CustomResource, new: Object, old: Object, subresource: str
) -> None:
    """Take from `old`, in place, what this request may not change in `new`."""
    has_status = "status" in resource.subresources
    if subresource == "status":
        status, managers = new.get("status"), new["metadata"].get("managedFields")
        new.clear()
        new.update(old, metadata=dict(old["metadata"]))
        new["metadata"].pop("managedFields", None)
        new.pop("status", None)
        if managers is not None:
            new["metadata"]["managedFields"] = managers
        if status is not None:
            new["status"] = status
        return
    if has_status:
        new.pop("status", None)
        if "status" in old:
            new["status"] = old["status"]
    skipped = {"metadata", "status"} if has_status else {"metadata"}
    if any(new.get(name) != old.get(name) for name in (new.keys() | old.keys()) - skipped):
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1


# While a value has such faults, rules about it make no sense.
_HINDERING: Final = frozenset(
    f"FieldValue{each}"
    for each in ("NotSupported", "Required", "TooLong", "TooMany", "TypeInvalid")
)
_NOT_CHECKED: Final = (
    "some validation rules were not checked because the object was invalid; correct the existing "
    "errors to complete validation"
)


def validate(resource: CustomResource, obj: Object, old: Object | None = None) -> list[Cause]:
    """What is wrong with an object, beside its metadata.

    Args:
        old: what it was before an update; what the update leaves as it is does not count.
    """
    causes = _validate_shape(resource, obj, old)
    if resource.embeds:
        causes += validate_embedded(obj, resource.schema)
    if resource.rules is None:
        return causes
    if any(cause.reason in _HINDERING for cause in causes):
        return [*causes, invalid("<nil>", None, _NOT_CHECKED)]
    from pilotfish.apiserver.custom.rules.evaluating import check_rules

    return causes + check_rules(resource.rules, obj, old)


def _validate_shape(resource: CustomResource, obj: Object, old: Object | None) -> list[Cause]:
    content = {name: value for name, value in obj.items() if name != "metadata"}
    properties = resource.schema.get("properties") or {}
    shape = {
        **resource.schema,
        "properties": {name: each for name, each in properties.items() if name != "metadata"},
        "required": [name for name in resource.schema.get("required") or () if name != "metadata"],
    }
    causes = validate_value(content, shape, old=UNKNOWN if old is None else old)
    # Of the metadata a schema may restrict the name alone.
    name = ((properties.get("metadata") or {}).get("properties") or {}).get("name")
    if name:
        causes += validate_value(obj["metadata"].get("name", ""), name, "metadata.name")
    return causes
