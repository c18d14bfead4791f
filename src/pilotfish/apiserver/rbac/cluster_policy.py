"""The default ClusterRoles of users and components, and to whom each is bound.

Names and rights are those of "Default roles and role bindings" in the Kubernetes documentation.
Pilotfish adds the roles of its DNS, its proxy and its tap, and of those who view traffic.
"""

from __future__ import annotations

from typing import Final

from pilotfish.apiserver.rbac.rules import Rule
from pilotfish.apiserver.rbac.worded import EVENTS, READ, paths, rule

_RBAC: Final = "rbac.authorization.k8s.io"
_WRITE: Final = "create delete deletecollection patch update"
_ALL: Final = f"{READ} {_WRITE}"


_LEASES: Final = "coordination.k8s.io"
_REVIEWS: Final = [
    rule("create", "authentication.k8s.io", "tokenreviews"),
    rule("create", "authorization.k8s.io", "subjectaccessreviews"),
]

# What view, edit and admin may do in a namespace, each beside what the one before may.
_VIEW: Final = [
    rule(
        READ,
        "''",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods "
        "replicationcontrollers replicationcontrollers/scale serviceaccounts services "
        "services/status",
    ),
    rule(
        READ,
        "''",
        "bindings events limitranges namespaces/status pods/log pods/status "
        "replicationcontrollers/status resourcequotas resourcequotas/status namespaces",
    ),
    rule(READ, "discovery.k8s.io", "endpointslices"),
    rule(
        READ,
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale "
        "deployments/status replicasets replicasets/scale replicasets/status statefulsets "
        "statefulsets/scale statefulsets/status",
    ),
    rule(READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
    rule(READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
    rule(READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
    rule(READ, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
    rule(
        READ,
        "resource.k8s.io",
        "resourceclaims resourceclaims/status resourceclaimtemplates",
    ),
]
_EDIT: Final = [
    rule(READ, "''", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
    rule("impersonate", "''", "serviceaccounts"),
    rule(_WRITE, "''", "pods pods/attach pods/exec pods/portforward pods/proxy"),
    rule("create", "''", "pods/eviction"),
    rule(
        _WRITE,
        "''",
        "configmaps events persistentvolumeclaims replicationcontrollers "
        "replicationcontrollers/scale secrets serviceaccounts services services/proxy",
    ),
    rule("create", "''", "serviceaccounts/token"),
    rule(
        _WRITE,
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets "
        "replicasets/scale statefulsets statefulsets/scale",
    ),
    rule(_WRITE, "autoscaling", "horizontalpodautoscalers"),
    rule(_WRITE, "batch", "cronjobs jobs"),
    rule(_WRITE, "policy", "poddisruptionbudgets"),
    rule(_WRITE, "networking.k8s.io", "ingresses networkpolicies"),
    rule(_ALL, _LEASES, "leases"),
    rule(_WRITE, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
]
_ADMIN: Final = [
    rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
    rule(_ALL, _RBAC, "rolebindings roles"),
]

# What the Node authorizer allows kubelets, but for the objects that only some Pods refer to.
NODE_RULES: Final = [
    *_REVIEWS,
    rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
    rule(READ, "''", "services"),
    rule("create get list watch", "''", "nodes"),
    rule("patch update", "''", "nodes"),
    rule("patch update", "''", "nodes/status"),
    EVENTS,
    rule(READ, "''", "pods"),
    rule("create delete", "''", "pods"),
    rule("patch update", "''", "pods/status"),
    rule("create", "''", "pods/eviction"),
    rule(READ, "''", "configmaps secrets"),
    rule("get", "''", "persistentvolumeclaims persistentvolumes"),
    rule("get patch update", "''", "persistentvolumeclaims/status"),
    rule("get", "''", "endpoints"),
    rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
    rule("create delete get patch update", _LEASES, "leases"),
    rule(READ, "storage.k8s.io", "csidrivers"),
    rule("get", "storage.k8s.io", "volumeattachments"),
    rule("create delete get patch update", "storage.k8s.io", "csinodes"),
    rule("create", "''", "serviceaccounts/token"),
    rule("get", "''", "serviceaccounts"),
    rule(READ, "node.k8s.io", "runtimeclasses"),
    rule("get", "resource.k8s.io", "resourceclaims"),
    rule(
        "deletecollection list watch create delete get patch update",
        "resource.k8s.io",
        "resourceslices",
    ),
]
_NODE_PROXIER: Final = [
    rule("list watch", "''", "endpoints services"),
    rule("get list watch", "''", "nodes"),
    EVENTS,
    rule("list watch", "discovery.k8s.io", "endpointslices"),
    rule("list watch", "networking.k8s.io", "servicecidrs"),
]
_SCHEDULER: Final = [
    EVENTS,
    rule("create", _LEASES, "leases"),
    rule(
        "get list patch update watch",
        _LEASES,
        "leases",
    ),
    rule(READ, "''", "nodes"),
    rule("delete get list watch", "''", "pods"),
    rule("create", "''", "bindings pods/binding"),
    rule("patch update", "''", "pods/status"),
    rule(READ, "''", "replicationcontrollers services"),
    rule(READ, "apps", "replicasets statefulsets"),
    rule(READ, "policy", "poddisruptionbudgets"),
    rule(READ, "''", "persistentvolumeclaims persistentvolumes namespaces"),
    *_REVIEWS,
    rule(
        READ,
        "storage.k8s.io",
        "csinodes csidrivers csistoragecapacities storageclasses volumeattachments",
    ),
    rule(READ, "resource.k8s.io", "deviceclasses resourceslices"),
    rule(f"{READ} patch update", "resource.k8s.io", "resourceclaims resourceclaims/status"),
]
_CONTROLLER_MANAGER: Final = [
    EVENTS,
    rule("create get patch update", _LEASES, "leases"),
    rule("create", "''", "secrets serviceaccounts"),
    rule("delete", "''", "secrets"),
    rule("get", "''", "configmaps namespaces secrets serviceaccounts"),
    rule("update", "''", "secrets serviceaccounts"),
    *_REVIEWS,
    rule("list watch", "*", "*"),
    rule("create", "''", "serviceaccounts/token"),
]
_DNS: Final = [
    rule("list watch", "''", "endpoints namespaces pods services"),
    rule("list watch", "discovery.k8s.io", "endpointslices"),
]
# The rights to name the two ends of a request, and to tell which endpoints were ready.
_TRAFFIC_VIEWER: Final = [
    rule("get watch", "tap.pilotfish.dev", "entries"),
    rule("get", "proxy.pilotfish.dev", "tables"),
    rule(READ, "''", "events namespaces nodes pods services"),
    rule(READ, "discovery.k8s.io", "endpointslices"),
]
_KUBELET_API: Final = [
    rule(READ, "''", "nodes"),
    rule("proxy", "''", "nodes"),
    rule(
        "*",
        "''",
        "nodes/log nodes/metrics nodes/proxy nodes/stats nodes/configz nodes/healthz nodes/pods",
    ),
]

# Name: rules, in the order in which `kubectl get clusterroles` does not care.
CLUSTER_ROLES: Final[dict[str, list[Rule]]] = {
    "cluster-admin": [rule("*", "*", "*"), {"nonResourceURLs": ["*"], "verbs": ["*"]}],
    "system:aggregate-to-view": _VIEW,
    "system:aggregate-to-edit": _EDIT,
    "system:aggregate-to-admin": _ADMIN,
    "system:discovery": [
        paths(
            "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version "
            "/version/"
        )
    ],
    "system:public-info-viewer": [paths("/healthz /livez /readyz /version /version/")],
    "system:monitoring": [
        paths("/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*")
    ],
    "system:basic-user": [
        rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
        rule("create", "authentication.k8s.io", "selfsubjectreviews"),
    ],
    "system:auth-delegator": _REVIEWS,
    "system:heapster": [
        rule(READ, "''", "events namespaces nodes pods"),
        rule(READ, "extensions", "deployments"),
    ],
    "system:kube-aggregator": [rule(READ, "''", "endpoints services")],
    "system:kube-controller-manager": _CONTROLLER_MANAGER,
    "system:kube-dns": _DNS,
    "system:kube-scheduler": _SCHEDULER,
    "system:kubelet-api-admin": _KUBELET_API,
    "system:node": NODE_RULES,
    "system:node-bootstrapper": [
        rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests")
    ],
    "system:node-problem-detector": [
        rule("get", "''", "nodes"),
        rule("patch", "''", "nodes/status"),
        EVENTS,
    ],
    "system:node-proxier": _NODE_PROXIER,
    "system:persistent-volume-provisioner": [
        rule("create delete get list watch", "''", "persistentvolumes"),
        rule("get list update watch", "''", "persistentvolumeclaims"),
        rule(READ, "storage.k8s.io", "storageclasses"),
        rule("watch", "''", "events"),
        EVENTS,
    ],
    "system:service-account-issuer-discovery": [
        paths(
            "/.well-known/openid-configuration /.well-known/openid-configuration/ "
            "/openid/v1/jwks /openid/v1/jwks/"
        )
    ],
    "system:volume-scheduler": [
        rule("get list patch update watch", "''", "persistentvolumes"),
        rule(READ, "storage.k8s.io", "storageclasses"),
        rule("get list patch update watch", "''", "persistentvolumeclaims"),
    ],
    # The DNS announces itself on each node.
    "system:pilotfish:dns": [
        *_DNS,
        rule("create get patch update", "''", "services"),
        rule("create delete get patch update", "discovery.k8s.io", "endpointslices"),
        EVENTS,
    ],
    # kube-proxy's role, and the Pods of the node, for their host ports.
    "system:pilotfish:proxy": [*_NODE_PROXIER, rule("list watch", "''", "pods")],
    # For people: to see requests; and everything that was sent, secrets too.
    "system:pilotfish:traffic-viewer": _TRAFFIC_VIEWER,
    "system:pilotfish:packet-viewer": [
        *_TRAFFIC_VIEWER,
        rule("get watch", "tap.pilotfish.dev", "packets"),
    ],
    "system:pilotfish:tap": [
        rule(READ, "''", "namespaces nodes pods services"),
        rule(READ, "discovery.k8s.io", "endpointslices"),
    ],
}
CLUSTER_BINDINGS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "cluster-admin": ("cluster-admin", ("Group system:masters",)),
    "system:basic-user": ("system:basic-user", ("Group system:authenticated",)),
    "system:discovery": ("system:discovery", ("Group system:authenticated",)),
    "system:kube-controller-manager": (
        "system:kube-controller-manager",
        ("User system:kube-controller-manager",),
    ),
    "system:kube-dns": ("system:kube-dns", ("ServiceAccount kube-system/kube-dns",)),
    "system:kube-scheduler": ("system:kube-scheduler", ("User system:kube-scheduler",)),
    "system:monitoring": ("system:monitoring", ("Group system:monitoring",)),
    # Without a subject, as in Kubernetes: the Node authorizer is in its place.
    "system:node": ("system:node", ()),
    "system:node-proxier": ("system:node-proxier", ("User system:kube-proxy",)),
    "system:public-info-viewer": (
        "system:public-info-viewer",
        ("Group system:authenticated", "Group system:unauthenticated"),
    ),
    "system:service-account-issuer-discovery": (
        "system:service-account-issuer-discovery",
        ("Group system:serviceaccounts",),
    ),
    "system:volume-scheduler": ("system:volume-scheduler", ("User system:kube-scheduler",)),
    "system:pilotfish:dns": ("system:pilotfish:dns", ("User system:kube-dns",)),
    "system:pilotfish:proxy": ("system:pilotfish:proxy", ("User system:kube-proxy",)),
    "system:pilotfish:tap": ("system:pilotfish:tap", ("User system:pilotfish:tap",)),
}
