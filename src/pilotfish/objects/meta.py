"""Metadata of Kubernetes objects: names, keys, labels, owners.

Objects are the API's JSON as plain dicts, from the wire to the last component.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]

_NOTHING: Mapping[str, Any] = {}


def name_of(obj: Mapping[str, Any]) -> str:
    """The object's name; "" while `generateName` has not been resolved."""
    name: str = obj.get("metadata", _NOTHING).get("name", "")
    return name


def namespace_of(obj: Mapping[str, Any]) -> str:
    """The object's namespace; "" for a cluster-scoped object."""
    namespace: str = obj.get("metadata", _NOTHING).get("namespace", "")
    return namespace


def key_of(obj: Mapping[str, Any]) -> str:
    """The object's key within its resource: `namespace/name`, or `name` when cluster-scoped."""
    metadata = obj.get("metadata", _NOTHING)
    namespace, name = metadata.get("namespace"), metadata.get("name", "")
    return f"{namespace}/{name}" if namespace else str(name)


def split_key(key: str) -> tuple[str, str]:
    """The (namespace, name) of a key that `key_of` made."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


def uid_of(obj: Mapping[str, Any]) -> str:
    """The object's uid; "" before the API server has given one."""
    uid: str = obj.get("metadata", _NOTHING).get("uid", "")
    return uid


def labels_of(obj: Mapping[str, Any]) -> Mapping[str, str]:
    """The object's labels, not to be mutated."""
    return obj.get("metadata", _NOTHING).get("labels") or _NOTHING


def annotations_of(obj: Mapping[str, Any]) -> Mapping[str, str]:
    """The object's annotations, not to be mutated."""
    return obj.get("metadata", _NOTHING).get("annotations") or _NOTHING


def controller_of(obj: Mapping[str, Any]) -> Object | None:
    """The owner reference of the object's managing controller, or None."""
    for reference in obj.get("metadata", _NOTHING).get("ownerReferences") or ():
        if reference.get("controller"):
            return dict(reference)
    return None


def owner_reference(owner: Mapping[str, Any]) -> Object:
    """An owner reference that makes `owner` the managing controller of a new object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_deleting(obj: Mapping[str, Any]) -> bool:
    """Whether deletion was asked for and waits for finalizers or a grace period."""
    return "deletionTimestamp" in obj.get("metadata", _NOTHING)


def reference_to(obj: Mapping[str, Any]) -> Object:
    """A core/v1 ObjectReference, as Events and EndpointSlice targets carry it."""
    reference = {
        "kind": obj.get("kind", ""),
        "namespace": namespace_of(obj),
        "name": name_of(obj),
        "uid": uid_of(obj),
        "apiVersion": obj.get("apiVersion", ""),
        "resourceVersion": obj.get("metadata", _NOTHING).get("resourceVersion", ""),
    }
    return {key: value for key, value in reference.items() if value}
