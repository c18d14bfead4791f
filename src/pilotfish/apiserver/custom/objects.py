"""Objects of custom resources: what decoding, defaulting, strategy and validation do to them."""

from __future__ import annotations

from pilotfish.apiserver.custom.defaulting import fill_defaults
from pilotfish.apiserver.custom.pruning import prune
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.custom.validating import validate_value
from pilotfish.apiserver.validation.causes import Cause
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


def validate(resource: CustomResource, obj: Object) -> list[Cause]:
    """What is wrong with an object, beside its metadata."""
    content = {name: value for name, value in obj.items() if name != "metadata"}
    properties = resource.schema.get("properties") or {}
    shape = {
        **resource.schema,
        "properties": {name: each for name, each in properties.items() if name != "metadata"},
        "required": [name for name in resource.schema.get("required") or () if name != "metadata"],
    }
    causes = validate_value(content, shape)
    # Of the metadata a schema may restrict the name alone.
    name = ((properties.get("metadata") or {}).get("properties") or {}).get("name")
    if name:
        causes += validate_value(obj["metadata"].get("name", ""), name, "metadata.name")
    return causes
