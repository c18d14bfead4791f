"""Which checks a kind gets.

Kinds that are not named here are checked for what every object has, and for the fields that the
schema says they must have; types and unknown fields are the decoder's business.
"""

from __future__ import annotations

from collections.abc import Callable

from pilotfish.apiserver.custom import definition_checks
from pilotfish.apiserver.custom import objects as custom_objects
from pilotfish.apiserver.custom.resource import DEFINITIONS, CustomResource
from pilotfish.apiserver.validation import (
    configmaps,
    cronjobs,
    daemonsets,
    deployments,
    endpoints,
    endpointslices,
    events,
    horizontalpodautoscalers,
    ingresses,
    ipaddresses,
    jobs,
    leases,
    networkpolicies,
    nodes,
    persistentvolumeclaims,
    persistentvolumes,
    poddisruptionbudgets,
    pods,
    podsecurity,
    priorityclasses,
    replicasets,
    replicationcontrollers,
    rolebindings,
    roles,
    secrets,
    servicecidrs,
    services,
    statefulsets,
    storageclasses,
    templates,
)
from pilotfish.apiserver.validation.causes import Cause
from pilotfish.apiserver.validation.metadata import validate_metadata, validate_metadata_update
from pilotfish.apiserver.validation.required import validate_required
from pilotfish.apiserver.validation.selectors import validate_selectors
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource

_Kind = tuple[str, str]

_RBAC = "rbac.authorization.k8s.io"
_NETWORKING = "networking.k8s.io"
_NAMESPACE: _Kind = ("", "Namespace")

_VALIDATE: dict[_Kind, Callable[[Object], list[Cause]]] = {
    ("", "ConfigMap"): configmaps.validate,
    ("", "Endpoints"): endpoints.validate,
    ("", "Event"): events.validate,
    ("", "Node"): nodes.validate,
    ("", "PersistentVolume"): persistentvolumes.validate,
    ("", "PersistentVolumeClaim"): persistentvolumeclaims.validate,
    ("", "Pod"): pods.validate,
    ("", "ReplicationController"): replicationcontrollers.validate,
    ("", "Secret"): secrets.validate,
    ("", "Service"): services.validate,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definition_checks.validate,
    ("apps", "DaemonSet"): daemonsets.validate,
    ("apps", "Deployment"): deployments.validate,
    ("apps", "ReplicaSet"): replicasets.validate,
    ("apps", "StatefulSet"): statefulsets.validate,
    ("autoscaling", "HorizontalPodAutoscaler"): horizontalpodautoscalers.validate,
    ("batch", "CronJob"): cronjobs.validate,
    ("batch", "Job"): jobs.validate,
    ("coordination.k8s.io", "Lease"): leases.validate,
    ("discovery.k8s.io", "EndpointSlice"): endpointslices.validate,
    (_NETWORKING, "IPAddress"): ipaddresses.validate,
    (_NETWORKING, "Ingress"): ingresses.validate,
    (_NETWORKING, "NetworkPolicy"): networkpolicies.validate,
    (_NETWORKING, "ServiceCIDR"): servicecidrs.validate,
    ("policy", "PodDisruptionBudget"): poddisruptionbudgets.validate,
    (_RBAC, "ClusterRole"): roles.validate,
    (_RBAC, "ClusterRoleBinding"): rolebindings.validate,
    (_RBAC, "Role"): roles.validate,
    (_RBAC, "RoleBinding"): rolebindings.validate,
    ("scheduling.k8s.io", "PriorityClass"): priorityclasses.validate,
    ("storage.k8s.io", "StorageClass"): storageclasses.validate,
}

_VALIDATE_UPDATE: dict[_Kind, Callable[[Object, Object], list[Cause]]] = {
    ("", "ConfigMap"): configmaps.validate_update,
    ("", "Node"): nodes.validate_update,
    ("", "PersistentVolumeClaim"): persistentvolumeclaims.validate_update,
    ("", "Pod"): pods.validate_update,
    ("", "Secret"): secrets.validate_update,
    ("", "Service"): services.validate_update,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definition_checks.validate_update,
    ("apps", "DaemonSet"): templates.validate_selector_kept,
    ("apps", "Deployment"): templates.validate_selector_kept,
    ("apps", "ReplicaSet"): templates.validate_selector_kept,
    ("apps", "StatefulSet"): statefulsets.validate_update,
    ("batch", "Job"): jobs.validate_update,
    ("discovery.k8s.io", "EndpointSlice"): endpointslices.validate_update,
    (_NETWORKING, "IPAddress"): ipaddresses.validate_update,
    (_NETWORKING, "ServiceCIDR"): servicecidrs.validate_update,
    (_RBAC, "ClusterRoleBinding"): rolebindings.validate_update,
    (_RBAC, "RoleBinding"): rolebindings.validate_update,
    ("scheduling.k8s.io", "PriorityClass"): priorityclasses.validate_update,
    ("storage.k8s.io", "StorageClass"): storageclasses.validate_update,
}


def validate_create(resource: Resource, obj: Object) -> list[Cause]:
    """What is wrong with a defaulted and prepared object; nothing when it may be stored."""
    causes = validate_metadata(resource, obj) + _validate_content(resource, obj)
    if resource.full_name == DEFINITIONS:
        causes += definition_checks.validate_approval(obj)
    if (resource.group, resource.kind) == _NAMESPACE:
        causes += podsecurity.validate_labels(obj)
    return causes


def validate_update(
    resource: Resource, new: Object, old: Object, subresource: str = ""
) -> list[Cause]:
    """What is wrong with the new version of an object, in itself and as a change of the old."""
    causes = validate_metadata_update(resource, new, old)
    if resource.full_name == DEFINITIONS:
        causes += definition_checks.validate_approval(new, old)
    if (resource.group, resource.kind) == _NAMESPACE:
        causes += podsecurity.validate_labels(new, old)
    if subresource == "status" and not isinstance(resource, CustomResource):
        return causes
    # What was stored stays valid, also when the checks have become stricter since.
    fields = (new.keys() | old.keys()) - {"metadata"}
    if any(new.get(field) != old.get(field) for field in fields):
        causes += _validate_content(resource, new, old)
        validate_change = _VALIDATE_UPDATE.get((resource.group, resource.kind))
        if validate_change is not None:
            causes += validate_change(new, old)
    return causes


def _validate_content(resource: Resource, obj: Object, old: Object | None = None) -> list[Cause]:
    if isinstance(resource, CustomResource):
        return custom_objects.validate(resource, obj, old)
    validate = _VALIDATE.get((resource.group, resource.kind))
    if validate is not None:
        causes = validate(obj)
    else:
        causes = validate_required(resource.api_version, resource.kind, obj)
    return causes + validate_selectors(resource.api_version, resource.kind, obj)
