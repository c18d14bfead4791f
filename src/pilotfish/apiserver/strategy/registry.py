"""Which parts of an object a request may change, by kind.

A status belongs to controllers: creating an object drops it, updating the object keeps the old
one, and only the `status` subresource changes it. `metadata.generation` counts the versions of
what the user wants, so it grows when the spec does and not when the status does.
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pilotfish.apiserver.custom import objects as custom_objects
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.strategy import (
    certificates,
    jobs,
    namespaces,
    pods,
    servicecidrs,
    services,
)
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource

_Kind = tuple[str, str]

# The kinds that count generations, with the top-level fields that make a new one.
_SPEC = ("spec",)
_GENERATION: dict[_Kind, tuple[str, ...]] = {
    ("", "Pod"): _SPEC,
    ("", "PodTemplate"): ("template",),
    ("", "ReplicationController"): _SPEC,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): _SPEC,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): _SPEC,
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): ("webhooks",),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): _SPEC,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): _SPEC,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): ("webhooks",),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _SPEC,
    ("apps", "DaemonSet"): _SPEC,
    ("apps", "Deployment"): _SPEC,
    ("apps", "ReplicaSet"): _SPEC,
    ("apps", "StatefulSet"): _SPEC,
    ("batch", "CronJob"): _SPEC,
    ("batch", "Job"): _SPEC,
    ("discovery.k8s.io", "EndpointSlice"): ("addressType", "endpoints", "ports"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): _SPEC,
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): _SPEC,
    ("networking.k8s.io", "Ingress"): _SPEC,
    ("networking.k8s.io", "IngressClass"): _SPEC,
    ("networking.k8s.io", "NetworkPolicy"): _SPEC,
    ("policy", "PodDisruptionBudget"): _SPEC,
    ("resource.k8s.io", "DeviceClass"): _SPEC,
    ("resource.k8s.io", "ResourceSlice"): _SPEC,
    ("scheduling.k8s.io", "PriorityClass"): ("value",),
}

# What a status says of a fresh object; an empty one for kinds not named here.
_FIRST_STATUS: dict[_Kind, dict[str, Any]] = {
    ("", "PersistentVolume"): {"phase": "Pending"},
    ("", "PersistentVolumeClaim"): {"phase": "Pending"},
    ("", "ReplicationController"): {"replicas": 0},
    ("", "Service"): {"loadBalancer": {}},
    ("apps", "DaemonSet"): {
        "currentNumberScheduled": 0,
        "desiredNumberScheduled": 0,
        "numberMisscheduled": 0,
        "numberReady": 0,
    },
    ("apps", "ReplicaSet"): {"replicas": 0},
    ("apps", "StatefulSet"): {"replicas": 0, "availableReplicas": 0},
    ("autoscaling", "HorizontalPodAutoscaler"): {"currentReplicas": 0, "desiredReplicas": 0},
    ("networking.k8s.io", "Ingress"): {"loadBalancer": {}},
    ("policy", "PodDisruptionBudget"): {
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "disruptionsAllowed": 0,
        "expectedPods": 0,
    },
    ("storage.k8s.io", "VolumeAttachment"): {"attached": False},
}

_CREATE: dict[_Kind, Callable[[Object], None]] = {
    ("", "Namespace"): namespaces.prepare_for_create,
    ("", "Pod"): pods.prepare_for_create,
    ("batch", "Job"): jobs.prepare_for_create,
    ("networking.k8s.io", "ServiceCIDR"): servicecidrs.prepare_for_create,
}

_UPDATE: dict[_Kind, Callable[[Object, Object], None]] = {
    ("", "Namespace"): namespaces.prepare_for_update,
    ("", "Pod"): pods.prepare_for_update,
    ("", "Service"): services.prepare_for_update,
}

# Subresources that write nothing but the status.
_STATUS = ("approval", "status")
_SIGNING_REQUEST = ("certificates.k8s.io", "CertificateSigningRequest")
# A kubelet registers its Node together with what it knows of it.
_KEEPS_STATUS_ON_CREATE = {("", "Node")}


def prepare_for_create(resource: Resource, obj: Object) -> None:
    """Make a defaulted object ready to be validated and stored for the first time, in place.

    `metadata.name` and `metadata.uid` must be set before.
    """
    kind = (resource.group, resource.kind)
    metadata = obj["metadata"]
    metadata.pop("deletionTimestamp", None)
    metadata.pop("deletionGracePeriodSeconds", None)
    if isinstance(resource, CustomResource):
        custom_objects.prepare_for_create(resource, obj)
        return
    if kind in _GENERATION:
        metadata["generation"] = 1
    else:
        metadata.pop("generation", None)
    if "status" in resource.subresources and kind not in _KEEPS_STATUS_ON_CREATE:
        obj["status"] = _fresh_status(kind)
    prepare = _CREATE.get(kind)
    if prepare is not None:
        prepare(obj)


def prepare_for_update(resource: Resource, new: Object, old: Object, subresource: str = "") -> None:
    """Take from `old`, in place, what this request may not change in `new`."""
    kind = (resource.group, resource.kind)
    _keep_metadata(new["metadata"], old["metadata"])
    if isinstance(resource, CustomResource):
        custom_objects.prepare_for_update(resource, new, old, subresource)
        return
    if subresource in _STATUS:
        _keep_all_but_status(new, old)
        if kind == _SIGNING_REQUEST:
            certificates.keep_for(subresource, new, old)
        return
    if subresource == "ephemeralcontainers":
        pods.keep_all_but_ephemeral_containers(new, old)
    elif "status" in resource.subresources:
        if kind == ("", "Pod"):
            pods.keep_ephemeral_containers(new, old)
        if "status" in old:
            new["status"] = old["status"]
        else:
            new.pop("status", None)
    prepare = _UPDATE.get(kind)
    if prepare is not None:
        prepare(new, old)
    _count_generation(kind, new, old)


def _fresh_status(kind: _Kind) -> dict[str, Any]:
    status = _FIRST_STATUS.get(kind)
    if status is None:
        return {}
    return {key: dict(value) if value == {} else value for key, value in status.items()}


def _keep_metadata(new: dict[str, Any], old: dict[str, Any]) -> None:
    """Identity and deletion are not a client's to change; leaving them out is no change."""
    if not new.get("uid") and "uid" in old:
        new["uid"] = old["uid"]
    for field in ("creationTimestamp", "generation"):
        if field in old:
            new[field] = old[field]
        else:
            new.pop(field, None)
    for field in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        if field in old:
            new.setdefault(field, old[field])


def _keep_all_but_status(new: Object, old: Object) -> None:
    for field in [field for field in new if field not in ("metadata", "status")]:
        if field not in old:
            del new[field]
    for field, value in old.items():
        if field not in ("metadata", "status"):
            new[field] = value
    for field in ("ownerReferences", "labels"):
        if field in old["metadata"]:
            new["metadata"][field] = old["metadata"][field]
        else:
            new["metadata"].pop(field, None)


def _count_generation(kind: _Kind, new: Object, old: Object) -> None:
    fields = _GENERATION.get(kind)
    if fields is None:
        return
    changed = any(new.get(field) != old.get(field) for field in fields)
    if not changed and kind == ("apps", "Deployment"):
        # A Deployment's annotations travel to its ReplicaSets.
        changed = new["metadata"].get("annotations") != old["metadata"].get("annotations")
    if changed:
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
