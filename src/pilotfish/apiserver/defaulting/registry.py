"""Which kind gets which defaults.

Defaulting happens on every decoded object, on create and on update alike, so that a client that
leaves a field out means its default. All functions mutate the object in place and are idempotent.
https://kubernetes.io/docs/reference/kubernetes-api/ names each default at its field.
"""

from __future__ import annotations

from collections.abc import Callable

from pilotfish.apiserver.custom import definitions
from pilotfish.apiserver.custom.defaulting import fill_defaults
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.defaulting import (
    cronjobs,
    daemonsets,
    deployments,
    endpoints,
    endpointslices,
    horizontalpodautoscalers,
    ingressclasses,
    jobs,
    limitranges,
    namespaces,
    networkpolicies,
    nodes,
    persistentvolumeclaims,
    persistentvolumes,
    pods,
    podtemplates,
    priorityclasses,
    replicasets,
    replicationcontrollers,
    rolebindings,
    secrets,
    services,
    statefulsets,
    storageclasses,
    webhookconfigurations,
)
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource

_DEFAULTS: dict[tuple[str, str], Callable[[Object], None]] = {
    ("", "Endpoints"): endpoints.apply_defaults,
    ("", "LimitRange"): limitranges.apply_defaults,
    ("", "Namespace"): namespaces.apply_defaults,
    ("", "Node"): nodes.apply_defaults,
    ("", "PersistentVolume"): persistentvolumes.apply_defaults,
    ("", "PersistentVolumeClaim"): persistentvolumeclaims.apply_defaults,
    ("", "Pod"): pods.apply_defaults,
    ("", "PodTemplate"): podtemplates.apply_defaults,
    ("", "ReplicationController"): replicationcontrollers.apply_defaults,
    ("", "Secret"): secrets.apply_defaults,
    ("", "Service"): services.apply_defaults,
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): (
        webhookconfigurations.apply_defaults
    ),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): (
        webhookconfigurations.apply_defaults
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definitions.apply_defaults,
    ("apps", "DaemonSet"): daemonsets.apply_defaults,
    ("apps", "Deployment"): deployments.apply_defaults,
    ("apps", "ReplicaSet"): replicasets.apply_defaults,
    ("apps", "StatefulSet"): statefulsets.apply_defaults,
    ("autoscaling", "HorizontalPodAutoscaler"): horizontalpodautoscalers.apply_defaults,
    ("batch", "CronJob"): cronjobs.apply_defaults,
    ("batch", "Job"): jobs.apply_defaults,
    ("discovery.k8s.io", "EndpointSlice"): endpointslices.apply_defaults,
    ("networking.k8s.io", "IngressClass"): ingressclasses.apply_defaults,
    ("networking.k8s.io", "NetworkPolicy"): networkpolicies.apply_defaults,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): rolebindings.apply_defaults,
    ("rbac.authorization.k8s.io", "RoleBinding"): rolebindings.apply_defaults,
    ("scheduling.k8s.io", "PriorityClass"): priorityclasses.apply_defaults,
    ("storage.k8s.io", "StorageClass"): storageclasses.apply_defaults,
}


def apply_defaults(resource: Resource, obj: Object) -> None:
    """Fill in Kubernetes' defaults of a decoded object, in place."""
    if isinstance(resource, CustomResource):
        fill_defaults(obj, resource.schema)
        return
    fill = _DEFAULTS.get((resource.group, resource.kind))
    if fill is not None:
        fill(obj)
