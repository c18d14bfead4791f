"""Which kind is printed how, and the Table object of a list of objects.

The columns follow kube-apiserver's printers; kubectl only lays them out. Columns of priority 1
are always sent: hiding them is kubectl's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pilotfish.apiserver.custom import columns as custom_columns
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.tables import (
    authorization,
    configuration,
    endpoints,
    events,
    jobs,
    machinery,
    networking,
    nodes,
    pods,
    policies,
    services,
    storage,
    workloads,
)
from pilotfish.apiserver.tables.printer import KindTable
from pilotfish.objects.resources import Resource

_ADMISSION = "admissionregistration.k8s.io"
_RBAC = "rbac.authorization.k8s.io"

_TABLES: dict[tuple[str, str], KindTable] = {
    ("", "ConfigMap"): configuration.CONFIG_MAPS,
    ("", "Endpoints"): endpoints.ENDPOINTS,
    ("", "Event"): events.EVENTS,
    ("", "LimitRange"): machinery.CREATED,
    ("", "Namespace"): machinery.NAMESPACES,
    ("", "Node"): nodes.NODES,
    ("", "PersistentVolume"): storage.PERSISTENT_VOLUMES,
    ("", "PersistentVolumeClaim"): storage.PERSISTENT_VOLUME_CLAIMS,
    ("", "Pod"): pods.PODS,
    ("", "PodTemplate"): workloads.POD_TEMPLATES,
    ("", "ReplicationController"): workloads.REPLICATION_CONTROLLERS,
    ("", "ResourceQuota"): policies.RESOURCE_QUOTAS,
    ("", "Secret"): configuration.SECRETS,
    ("", "Service"): services.SERVICES,
    ("", "ServiceAccount"): configuration.SERVICE_ACCOUNTS,
    (_ADMISSION, "MutatingAdmissionPolicy"): machinery.MUTATING_POLICIES,
    (_ADMISSION, "MutatingAdmissionPolicyBinding"): machinery.ADMISSION_BINDINGS,
    (_ADMISSION, "MutatingWebhookConfiguration"): machinery.WEBHOOKS,
    (_ADMISSION, "ValidatingAdmissionPolicy"): machinery.VALIDATING_POLICIES,
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"): machinery.ADMISSION_BINDINGS,
    (_ADMISSION, "ValidatingWebhookConfiguration"): machinery.WEBHOOKS,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): machinery.CREATED,
    ("apps", "ControllerRevision"): workloads.CONTROLLER_REVISIONS,
    ("apps", "DaemonSet"): workloads.DAEMON_SETS,
    ("apps", "Deployment"): workloads.DEPLOYMENTS,
    ("apps", "ReplicaSet"): workloads.REPLICA_SETS,
    ("apps", "StatefulSet"): workloads.STATEFUL_SETS,
    ("autoscaling", "HorizontalPodAutoscaler"): policies.HORIZONTAL_POD_AUTOSCALERS,
    ("batch", "CronJob"): jobs.CRON_JOBS,
    ("batch", "Job"): jobs.JOBS,
    ("certificates.k8s.io", "CertificateSigningRequest"): machinery.SIGNING_REQUESTS,
    ("coordination.k8s.io", "Lease"): machinery.LEASES,
    ("discovery.k8s.io", "EndpointSlice"): endpoints.ENDPOINT_SLICES,
    ("events.k8s.io", "Event"): events.EVENTS,
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): machinery.FLOW_SCHEMAS,
    ("networking.k8s.io", "IPAddress"): networking.IP_ADDRESSES,
    ("networking.k8s.io", "Ingress"): networking.INGRESSES,
    ("networking.k8s.io", "IngressClass"): networking.INGRESS_CLASSES,
    ("networking.k8s.io", "NetworkPolicy"): networking.NETWORK_POLICIES,
    ("networking.k8s.io", "ServiceCIDR"): networking.SERVICE_CIDRS,
    ("node.k8s.io", "RuntimeClass"): machinery.RUNTIME_CLASSES,
    ("policy", "PodDisruptionBudget"): policies.POD_DISRUPTION_BUDGETS,
    (_RBAC, "ClusterRole"): authorization.ROLES,
    (_RBAC, "ClusterRoleBinding"): authorization.ROLE_BINDINGS,
    (_RBAC, "Role"): authorization.ROLES,
    (_RBAC, "RoleBinding"): authorization.ROLE_BINDINGS,
    ("scheduling.k8s.io", "PriorityClass"): policies.PRIORITY_CLASSES,
    ("storage.k8s.io", "CSIDriver"): storage.CSI_DRIVERS,
    ("storage.k8s.io", "CSINode"): storage.CSI_NODES,
    ("storage.k8s.io", "StorageClass"): storage.STORAGE_CLASSES,
    ("storage.k8s.io", "VolumeAttachment"): storage.VOLUME_ATTACHMENTS,
}


def table(resource: Resource, objects: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A meta.k8s.io/v1 Table of the objects, in their order.

    Its rows hold `cells` alone: `metadata` and each row's `object` are the caller's to add.
    """
    if isinstance(resource, CustomResource):
        definitions = custom_columns.definitions(resource)
        cells = custom_columns.printer(resource)
    else:
        how = _TABLES.get((resource.group, resource.kind), machinery.GENERIC)
        definitions, cells = how.definitions, how.cells
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": definitions,
        "rows": [{"cells": cells(obj)} for obj in objects],
    }
