"""Validation of metadata: names, labels, annotations, owners, and what an update may not touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.validation.causes import (
    Cause,
    forbidden,
    immutable,
    invalid,
    required,
    too_long,
)
from pilotfish.apiserver.validation.formats import (
    Format,
    dns_label,
    dns_subdomain,
    label_value,
    path_segment,
    qualified_name,
)
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource

MAX_ANNOTATIONS_BYTES = 256 * 1024
_RBAC = "rbac.authorization.k8s.io"

# Names are RFC 1123 subdomains where this table does not say otherwise. Services are here since
# Kubernetes 1.37 (KEP-5311) took the demand of a leading letter away for good.
_NAME_FORMATS: dict[tuple[str, str], Format] = {
    ("", "Event"): path_segment,
    ("", "Namespace"): dns_label,
    ("", "Service"): dns_label,
    (_RBAC, "ClusterRole"): path_segment,
    (_RBAC, "ClusterRoleBinding"): path_segment,
    (_RBAC, "Role"): path_segment,
    (_RBAC, "RoleBinding"): path_segment,
}
FIXED_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
# Their servers check metadata as apimachinery does: a finalizer needs no "/".
_PLAIN_FINALIZERS = frozenset({"apiextensions.k8s.io", "apiregistration.k8s.io"})
_IDENTITY = ("creationTimestamp", "generateName", "name", "namespace", "uid")


def validate_metadata(resource: Resource, obj: Object) -> list[Cause]:
    """What is wrong with the metadata of an object that is to be created."""
    metadata = obj["metadata"]
    causes: list[Cause] = []
    name = metadata.get("name", "")
    if not name:
        causes.append(required("metadata.name", "name or generateName is required"))
    else:
        check = _NAME_FORMATS.get((resource.group, resource.kind), dns_subdomain)
        why = check(name)
        if why:
            causes.append(invalid("metadata.name", name, why))
    if resource.namespaced:
        namespace = metadata.get("namespace", "")
        if not namespace:
            causes.append(required("metadata.namespace"))
        else:
            why = dns_label(namespace)
            if why:
                causes.append(invalid("metadata.namespace", namespace, why))
    return causes + _validate_common(metadata, "metadata", is_plain=_is_plain(resource))


def validate_metadata_update(resource: Resource, new: Object, old: Object) -> list[Cause]:
    """What an update changed in metadata that stays for an object's life."""
    after, before = new["metadata"], old["metadata"]
    causes = [
        immutable(f"metadata.{field}", after.get(field, ""))
        for field in _IDENTITY
        if field != "generateName" and after.get(field) != before.get(field)
    ]
    if after.get("deletionTimestamp") != before.get("deletionTimestamp"):
        causes.append(immutable("metadata.deletionTimestamp", after.get("deletionTimestamp", "")))
    if "deletionTimestamp" in before:
        added = set(after.get("finalizers") or ()) - set(before.get("finalizers") or ())
        if added:
            shown = ", ".join(f'"{name}"' for name in sorted(added))
            why = "no new finalizers can be added if the object is being deleted, found new "
            causes.append(forbidden("metadata.finalizers", f"{why}finalizers []string{{{shown}}}"))
    if any(
        after.get(field) != before.get(field)
        for field in ("labels", "annotations", "ownerReferences", "finalizers")
    ):
        causes += _validate_common(after, "metadata", is_plain=_is_plain(resource))
    return causes


def validate_embedded_metadata(metadata: Mapping[str, Any], path: str) -> list[Cause]:
    """The metadata of an object within a custom resource: nothing has to be there."""
    causes: list[Cause] = []
    for field, check in (("name", path_segment), ("namespace", dns_label)):
        value = metadata.get(field)
        if value and check(value):
            causes.append(invalid(f"{path}.{field}", value, check(value)))
    return causes + _validate_common(metadata, path, is_plain=True)


def validate_template_metadata(metadata: Mapping[str, Any], path: str) -> list[Cause]:
    """Labels and annotations of a template."""
    return validate_labels(metadata.get("labels"), f"{path}.labels") + validate_annotations(
        metadata.get("annotations"), f"{path}.annotations"
    )


def validate_labels(labels: Mapping[str, str] | None, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for key, value in (labels or {}).items():
        why = qualified_name(key)
        if why:
            causes.append(invalid(path, key, why))
        why = label_value(value)
        if why:
            causes.append(invalid(path, value, why))
    return causes


def validate_annotations(annotations: Mapping[str, str] | None, path: str) -> list[Cause]:
    causes: list[Cause] = []
    size = 0
    for key, value in (annotations or {}).items():
        why = qualified_name(key.lower())
        if why:
            causes.append(invalid(path, key, why))
        size += len(key) + len(value.encode())
    if size > MAX_ANNOTATIONS_BYTES:
        causes.append(too_long(path, MAX_ANNOTATIONS_BYTES))
    return causes


def _is_plain(resource: Resource) -> bool:
    return isinstance(resource, CustomResource) or resource.group in _PLAIN_FINALIZERS


def _validate_common(metadata: Mapping[str, Any], path: str, *, is_plain: bool) -> list[Cause]:
    """Check what all metadata has in common.

    Args:
        is_plain: whether finalizers need no "/".
    """
    causes = validate_template_metadata(metadata, path)
    if metadata.get("ownerReferences"):
        causes += _validate_owners(metadata["ownerReferences"], f"{path}.ownerReferences")
    finalizers = metadata.get("finalizers") or ()
    return causes + _validate_finalizers(finalizers, f"{path}.finalizers", is_plain=is_plain)


def _validate_finalizers(finalizers: Sequence[str], path: str, *, is_plain: bool) -> list[Cause]:
    causes: list[Cause] = []
    for index, finalizer in enumerate(finalizers):
        why = qualified_name(finalizer)
        if why:
            causes.append(invalid(f"{path}[{index}]", finalizer, why))
        elif not is_plain and "/" not in finalizer and finalizer not in FIXED_FINALIZERS:
            why = "name is neither a standard finalizer name nor is it fully qualified"
            causes.append(invalid(f"{path}[{index}]", finalizer, why))
    return causes


def _validate_owners(owners: list[dict[str, Any]], path: str) -> list[Cause]:
    causes: list[Cause] = []
    controllers = 0
    for index, owner in enumerate(owners):
        at = f"{path}[{index}]"
        causes += [
            invalid(f"{at}.{field}", "", f"{_words(field)} must not be empty")
            for field in ("apiVersion", "kind", "name", "uid")
            if not owner.get(field)
        ]
        if owner.get("controller"):
            controllers += 1
            if controllers == 2:
                why = "Only one reference can have Controller set to true."
                causes.append(invalid(path, owners, why))
    return causes


def _words(field: str) -> str:
    return "version" if field == "apiVersion" else field
