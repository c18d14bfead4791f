"""The warnings that each kind gets, on create and when an update changes its spec.

The conditions and the words are Kubernetes' (the strategies' WarningsOnCreate and
WarningsOnUpdate), so that what people look up for the one holds for the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.validation.formats import dns_label
from pilotfish.apiserver.validation.podsecurity import not_enforced
from pilotfish.apiserver.warnings import (
    custom_objects,
    ingresses,
    not_acted_on,
    runtime_classes,
    services,
    storage,
)
from pilotfish.apiserver.warnings.podspecs import pod_warnings
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource

_INGRESS: Final = ("networking.k8s.io", "Ingress")
# Kinds whose names become those of hosts.
_NAMING: Final = frozenset(
    {
        ("", "Pod"),
        ("", "ReplicationController"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("batch", "CronJob"),
        ("batch", "Job"),
    }
)
# Where kinds have their pod template.
_TEMPLATES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("", "PodTemplate"): ("template",),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("batch", "Job"): ("spec", "template"),
}
_KINDS: Final[dict[tuple[str, str], Callable[[Object], Iterator[str]]]] = {
    ("", "PersistentVolume"): storage.volume_warnings,
    ("", "PersistentVolumeClaim"): storage.claim_warnings,
    ("", "Service"): services.warnings,
    _INGRESS: ingresses.warnings,
    ("node.k8s.io", "RuntimeClass"): runtime_classes.warnings,
    ("storage.k8s.io", "CSIStorageCapacity"): storage.capacity_warnings,
    ("storage.k8s.io", "StorageClass"): storage.class_warnings,
}
# Kinds that Kubernetes itself has deprecated ("Deprecated API Migration Guide").
_DEPRECATED: Final = {
    ("", "ComponentStatus"): "v1 ComponentStatus is deprecated in v1.19+",
    ("", "Endpoints"): (
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    ),
}


def deprecation(resource: Resource) -> str:
    """The warning that every request for a resource gets; "" for none."""
    return _DEPRECATED.get((resource.group, resource.kind), "")


def warnings_of(resource: Resource, new: Object, old: Object | None = None) -> list[str]:
    """The warnings about an object that is about to be stored.

    Args:
        old: the object before an update; a Pod, a name and a template that stays then get no
            warning.
    """
    if isinstance(resource, CustomResource):
        return custom_objects.finalizer_warnings(new, old)
    kind = (resource.group, resource.kind)
    said = _first_warnings(kind, new) if old is None else []
    if kind == ("", "Namespace"):
        said += _pod_security_warnings(new, old)
    if kind in _KINDS and (old is None or kind != _INGRESS):
        said += _KINDS[kind](new)
    if kind == ("", "Pod"):
        return [*said, *pod_warnings(new, "")] if old is None else said
    where = _TEMPLATES.get(kind)
    if where is None:
        return said
    template = _at(new, where)
    if old is None or template != _at(old, where):
        said += pod_warnings(template, ".".join(where))
    return said


def _first_warnings(kind: tuple[str, str], obj: Object) -> list[str]:
    unheeded = not_acted_on.warning(*kind)
    return _name_warnings(kind, obj) + ([unheeded] if unheeded else [])


def _pod_security_warnings(new: Object, old: Object | None) -> list[str]:
    asked = not_enforced(new)
    if not asked or (old is not None and asked == not_enforced(old)):
        return []
    return [f"Pod Security ({', '.join(asked)}) is not enforced here: no Pod is refused by it"]


def _name_warnings(kind: tuple[str, str], obj: Object) -> list[str]:
    why = dns_label(obj["metadata"].get("name", "")) if kind in _NAMING else ""
    if not why:
        return []
    whose = "the Pod's hostname" if kind == ("", "Pod") else "Pod names and hostnames"
    return [
        f"metadata.name: this is used in {whose}, which can result in surprising behavior; "
        f"a DNS label is recommended: [{why}]"
    ]


def _at(obj: Object, where: tuple[str, ...]) -> Object:
    for name in where:
        obj = obj.get(name) or {}
    return obj
