"""The roles of Kubernetes' controllers, each bound to its ServiceAccount in kube-system.

A kube-controller-manager with `--use-service-account-credentials` runs by them
("Roles for built-in controllers" in the Kubernetes documentation).
"""

from __future__ import annotations

from typing import Final

from pilotfish.apiserver.rbac.rules import Rule
from pilotfish.apiserver.rbac.worded import EVENTS, READ, rule

PREFIX: Final = "system:controller:"

_CORE: Final = "''"
_APPS: Final = "apps extensions"
_BATCH: Final = "batch"
_CERTIFICATES: Final = "certificates.k8s.io"
_NETWORKING: Final = "networking.k8s.io"
_RESOURCE: Final = "resource.k8s.io"
_STORAGE: Final = "storage.k8s.io"
_SIGNERS: Final = (
    "kubernetes.io/legacy-unknown kubernetes.io/kube-apiserver-client "
    "kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving"
)
_PODS_OF_ITS_OWN: Final = rule("create delete list patch watch", _CORE, "pods")

_CONTROLLERS: Final[dict[str, list[Rule]]] = {
    "attachdetach-controller": [
        rule("list watch", _CORE, "persistentvolumes persistentvolumeclaims"),
        rule(READ, _CORE, "nodes"),
        rule("patch update", _CORE, "nodes/status"),
        rule("list watch", _CORE, "pods"),
        EVENTS,
        rule("create delete get list watch", _STORAGE, "volumeattachments"),
        rule(READ, _STORAGE, "csidrivers csinodes"),
    ],
    "certificate-controller": [
        rule(f"delete {READ}", _CERTIFICATES, "certificatesigningrequests"),
        rule(
            "update",
            _CERTIFICATES,
            "certificatesigningrequests/approval certificatesigningrequests/status",
        ),
        rule("approve", _CERTIFICATES, "signers", "kubernetes.io/kube-apiserver-client-kubelet"),
        rule("sign", _CERTIFICATES, "signers", _SIGNERS),
        rule("create", "authorization.k8s.io", "subjectaccessreviews"),
        EVENTS,
    ],
    "clusterrole-aggregation-controller": [
        rule(f"escalate {READ} patch update", "rbac.authorization.k8s.io", "clusterroles"),
    ],
    "cronjob-controller": [
        rule(f"{READ} update", _BATCH, "cronjobs"),
        rule(f"create delete {READ} patch update", _BATCH, "jobs"),
        rule("update", _BATCH, "cronjobs/finalizers cronjobs/status"),
        rule("delete list watch", _CORE, "pods"),
        EVENTS,
    ],
    "daemon-set-controller": [
        rule(READ, _APPS, "daemonsets"),
        rule("update", _APPS, "daemonsets/finalizers daemonsets/status"),
        rule("list watch", _CORE, "nodes"),
        _PODS_OF_ITS_OWN,
        rule("create", _CORE, "pods/binding"),
        rule(f"create delete {READ} patch update", "apps", "controllerrevisions"),
        EVENTS,
    ],
    "deployment-controller": [
        rule(f"{READ} update", _APPS, "deployments"),
        rule("update", _APPS, "deployments/finalizers deployments/status"),
        rule(f"create delete {READ} patch update", _APPS, "replicasets"),
        rule(f"{READ} update", _CORE, "pods"),
        EVENTS,
    ],
    "device-taint-eviction-controller": [
        rule(f"delete {READ}", _CORE, "pods"),
        rule("patch update", _CORE, "pods/status"),
        rule(READ, _RESOURCE, "deviceclasses devicetaintrules resourceclaims resourceslices"),
        EVENTS,
    ],
    "disruption-controller": [
        rule(READ, _APPS, "deployments replicasets"),
        rule(READ, _CORE, "replicationcontrollers"),
        rule(READ, "policy", "poddisruptionbudgets"),
        rule(READ, "apps", "statefulsets"),
        rule("update", "policy", "poddisruptionbudgets/status"),
        rule("patch update", _CORE, "pods/status"),
        rule("get", "*", "*/scale"),
        EVENTS,
    ],
    "endpoint-controller": [
        rule(READ, _CORE, "pods services"),
        rule(f"create delete {READ} update", _CORE, "endpoints"),
        rule("create", _CORE, "endpoints/restricted"),
        EVENTS,
    ],
    "endpointslice-controller": [
        rule(READ, _CORE, "nodes pods services"),
        rule("update", _CORE, "services/finalizers"),
        rule(f"create delete {READ} update", "discovery.k8s.io", "endpointslices"),
        EVENTS,
    ],
    "endpointslicemirroring-controller": [
        rule(READ, _CORE, "endpoints services"),
        rule("update", _CORE, "endpoints/finalizers services/finalizers"),
        rule(f"create delete {READ} update", "discovery.k8s.io", "endpointslices"),
        EVENTS,
    ],
    "ephemeral-volume-controller": [
        rule(READ, _CORE, "pods"),
        rule("update", _CORE, "pods/finalizers"),
        rule(f"create {READ}", _CORE, "persistentvolumeclaims"),
        EVENTS,
    ],
    "expand-controller": [
        rule(f"{READ} patch update", _CORE, "persistentvolumes"),
        rule("patch update", _CORE, "persistentvolumeclaims/status"),
        rule(READ, _CORE, "persistentvolumeclaims"),
        EVENTS,
    ],
    "generic-garbage-collector": [
        rule(f"delete {READ} patch update", "*", "*"),
        EVENTS,
    ],
    "horizontal-pod-autoscaler": [
        rule(READ, "autoscaling", "horizontalpodautoscalers"),
        rule("update", "autoscaling", "horizontalpodautoscalers/status"),
        rule("get update", "*", "*/scale"),
        rule("list watch", _CORE, "pods"),
        rule("list watch", "metrics.k8s.io", "pods"),
        rule(READ, "custom.metrics.k8s.io external.metrics.k8s.io", "*"),
        EVENTS,
    ],
    "job-controller": [
        rule(f"{READ} patch update", _BATCH, "jobs"),
        rule("update", _BATCH, "jobs/finalizers jobs/status"),
        _PODS_OF_ITS_OWN,
        EVENTS,
    ],
    "legacy-service-account-token-cleaner": [
        rule("get", _CORE, "configmaps", "kube-apiserver-legacy-service-account-token-tracking"),
        rule("delete patch", _CORE, "secrets"),
    ],
    "namespace-controller": [
        rule(f"delete {READ}", _CORE, "namespaces"),
        rule("update", _CORE, "namespaces/finalize namespaces/status"),
        rule(f"delete deletecollection {READ}", "*", "*"),
    ],
    "node-controller": [
        rule(f"delete {READ} patch update", _CORE, "nodes"),
        rule("patch update", _CORE, "nodes/status pods/status"),
        rule(f"delete {READ}", _CORE, "pods"),
        EVENTS,
    ],
    "persistent-volume-binder": [
        rule(f"create delete {READ} update", _CORE, "persistentvolumes"),
        rule("update", _CORE, "persistentvolumeclaims/status persistentvolumes/status"),
        rule(f"{READ} update", _CORE, "persistentvolumeclaims"),
        rule(f"create delete {READ}", _CORE, "pods"),
        rule(READ, _STORAGE, "storageclasses"),
        rule("list watch", _CORE, "nodes"),
        EVENTS,
        rule("watch", _CORE, "events"),
    ],
    "pod-garbage-collector": [
        rule("delete list watch", _CORE, "pods"),
        rule(READ, _CORE, "nodes"),
        rule("patch", _CORE, "pods/status"),
    ],
    "podcertificaterequestcleaner": [
        rule(f"delete {READ}", _CERTIFICATES, "podcertificaterequests"),
    ],
    "pv-protection-controller": [
        rule(f"{READ} update", _CORE, "persistentvolumes"),
        EVENTS,
    ],
    "pvc-protection-controller": [
        rule(f"{READ} update", _CORE, "persistentvolumeclaims"),
        rule(READ, _CORE, "pods"),
        EVENTS,
    ],
    "replicaset-controller": [
        rule(f"{READ} update", _APPS, "replicasets"),
        rule("update", _APPS, "replicasets/finalizers replicasets/status"),
        _PODS_OF_ITS_OWN,
        EVENTS,
    ],
    "replication-controller": [
        rule(f"{READ} update", _CORE, "replicationcontrollers"),
        rule("update", _CORE, "replicationcontrollers/finalizers replicationcontrollers/status"),
        _PODS_OF_ITS_OWN,
        EVENTS,
    ],
    "resource-claim-controller": [
        rule(READ, _CORE, "pods"),
        rule("update", _CORE, "pods/finalizers"),
        rule(f"create delete {READ}", _RESOURCE, "resourceclaims"),
        rule("patch update", _RESOURCE, "resourceclaims resourceclaims/status"),
        rule("patch update", _CORE, "pods/status"),
        EVENTS,
    ],
    "resourcequota-controller": [
        rule("list watch", "*", "*"),
        rule("update", _CORE, "resourcequotas/status"),
        EVENTS,
    ],
    "root-ca-cert-publisher": [
        rule("create update", _CORE, "configmaps"),
        EVENTS,
    ],
    "route-controller": [
        rule("list watch", _CORE, "nodes"),
        rule("patch", _CORE, "nodes/status"),
        EVENTS,
    ],
    "selinux-warning-controller": [
        EVENTS,
        rule(READ, _CORE, "persistentvolumeclaims persistentvolumes pods"),
        rule(READ, _STORAGE, "csidrivers"),
    ],
    "service-account-controller": [
        rule("create", _CORE, "serviceaccounts"),
        EVENTS,
    ],
    "service-cidrs-controller": [
        rule(f"{READ} patch update", _NETWORKING, "servicecidrs"),
        rule("patch update", _NETWORKING, "servicecidrs/finalizers servicecidrs/status"),
        rule(READ, _NETWORKING, "ipaddresses"),
        EVENTS,
    ],
    "service-controller": [
        rule(READ, _CORE, "services"),
        rule("patch update", _CORE, "services/status"),
        rule("list watch", _CORE, "nodes"),
        EVENTS,
    ],
    "statefulset-controller": [
        rule("list watch", _CORE, "pods"),
        rule(READ, "apps", "statefulsets"),
        rule("update", "apps", "statefulsets/finalizers statefulsets/status"),
        rule("create delete get patch update", _CORE, "pods"),
        rule(f"create delete {READ} patch update", "apps", "controllerrevisions"),
        rule(f"create delete {READ} update", _CORE, "persistentvolumeclaims"),
        rule("update", _CORE, "pods/finalizers"),
        EVENTS,
    ],
    "ttl-after-finished-controller": [
        rule(f"delete {READ}", _BATCH, "jobs"),
        EVENTS,
    ],
    "ttl-controller": [
        rule("list patch update watch", _CORE, "nodes"),
        EVENTS,
    ],
    "validatingadmissionpolicy-status-controller": [
        rule(READ, "admissionregistration.k8s.io", "validatingadmissionpolicies"),
        rule(
            "get patch update",
            "admissionregistration.k8s.io",
            "validatingadmissionpolicies/status",
        ),
        EVENTS,
    ],
    "volumeattributesclass-protection-controller": [
        rule(READ, _CORE, "persistentvolumeclaims persistentvolumes"),
        rule(f"{READ} update", _STORAGE, "volumeattributesclasses"),
        EVENTS,
    ],
}
CONTROLLER_ROLES: Final = {f"{PREFIX}{name}": rules for name, rules in _CONTROLLERS.items()}

_OF_CERTIFICATES: Final = "system:certificates.k8s.io:"
# For those who may ask for certificates of kubelets, or approve requests to a signer.
CERTIFICATE_ROLES: Final[dict[str, list[Rule]]] = {
    **{
        f"{_OF_CERTIFICATES}certificatesigningrequests:{name}": [
            rule("create", _CERTIFICATES, f"certificatesigningrequests/{name}")
        ]
        for name in ("nodeclient", "selfnodeclient")
    },
    **{
        f"{_OF_CERTIFICATES}{signer.partition('/')[2]}-approver": [
            rule("approve", _CERTIFICATES, "signers", signer)
        ]
        for signer in _SIGNERS.split()
    },
}
