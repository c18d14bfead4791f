"""The roles and bindings that every cluster has from its start.

Names and rights are those of "Default roles and role bindings" in the Kubernetes documentation.
What Kubernetes gives to each of its controllers (`system:controller:…`) is left out: the
controllers here run as one user, who is an administrator. Pilotfish adds the roles of its DNS and
of its tap.
"""

from __future__ import annotations

from typing import Any, Final

from pilotfish.apiserver.rbac.rules import Rule
from pilotfish.objects.meta import Object

_GROUP: Final = "rbac.authorization.k8s.io"
_LABELS: Final = {"kubernetes.io/bootstrapping": "rbac-defaults"}
AUTOUPDATE: Final = "rbac.authorization.kubernetes.io/autoupdate"
_READ: Final = "get list watch"
_WRITE: Final = "create delete deletecollection patch update"
_ALL: Final = f"{_READ} {_WRITE}"
_EVENTS_GROUPS: Final = "'' events.k8s.io"


def _rule(verbs: str, groups: str, resources: str, names: str = "") -> Rule:
    """A rule from words; the core group is written ''."""
    rule: dict[str, Any] = {
        "apiGroups": ["" if group == "''" else group for group in groups.split()],
        "resources": resources.split(),
        "verbs": verbs.split(),
    }
    if names:
        rule["resourceNames"] = names.split()
    return rule


def _paths(urls: str) -> Rule:
    return {"nonResourceURLs": urls.split(), "verbs": ["get"]}


_LEASES: Final = "coordination.k8s.io"
_EVENTS: Final = _rule("create patch update", _EVENTS_GROUPS, "events")
_REVIEWS: Final = [
    _rule("create", "authentication.k8s.io", "tokenreviews"),
    _rule("create", "authorization.k8s.io", "subjectaccessreviews"),
]

# What view, edit and admin may do in a namespace, each beside what the one before may.
_VIEW: Final = [
    _rule(
        _READ,
        "''",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods "
        "replicationcontrollers replicationcontrollers/scale serviceaccounts services "
        "services/status",
    ),
    _rule(
        _READ,
        "''",
        "bindings events limitranges namespaces/status pods/log pods/status "
        "replicationcontrollers/status resourcequotas resourcequotas/status namespaces",
    ),
    _rule(_READ, "discovery.k8s.io", "endpointslices"),
    _rule(
        _READ,
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale "
        "deployments/status replicasets replicasets/scale replicasets/status statefulsets "
        "statefulsets/scale statefulsets/status",
    ),
    _rule(_READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
    _rule(_READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
    _rule(_READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
    _rule(_READ, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
    _rule(
        _READ,
        "resource.k8s.io",
        "resourceclaims resourceclaims/status resourceclaimtemplates",
    ),
]
_EDIT: Final = [
    _rule(_READ, "''", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
    _rule("impersonate", "''", "serviceaccounts"),
    _rule(_WRITE, "''", "pods pods/attach pods/exec pods/portforward pods/proxy"),
    _rule("create", "''", "pods/eviction"),
    _rule(
        _WRITE,
        "''",
        "configmaps events persistentvolumeclaims replicationcontrollers "
        "replicationcontrollers/scale secrets serviceaccounts services services/proxy",
    ),
    _rule("create", "''", "serviceaccounts/token"),
    _rule(
        _WRITE,
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets "
        "replicasets/scale statefulsets statefulsets/scale",
    ),
    _rule(_WRITE, "autoscaling", "horizontalpodautoscalers"),
    _rule(_WRITE, "batch", "cronjobs jobs"),
    _rule(_WRITE, "policy", "poddisruptionbudgets"),
    _rule(_WRITE, "networking.k8s.io", "ingresses networkpolicies"),
    _rule(_ALL, _LEASES, "leases"),
    _rule(_WRITE, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
]
_ADMIN: Final = [
    _rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
    _rule(_ALL, _GROUP, "rolebindings roles"),
]

# What the Node authorizer allows kubelets, but for the objects that only some Pods refer to.
NODE_RULES: Final = [
    *_REVIEWS,
    _rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
    _rule(_READ, "''", "services"),
    _rule("create get list watch", "''", "nodes"),
    _rule("patch update", "''", "nodes"),
    _rule("patch update", "''", "nodes/status"),
    _rule("create patch update", _EVENTS_GROUPS, "events"),
    _rule(_READ, "''", "pods"),
    _rule("create delete", "''", "pods"),
    _rule("patch update", "''", "pods/status"),
    _rule("create", "''", "pods/eviction"),
    _rule(_READ, "''", "configmaps secrets"),
    _rule("get", "''", "persistentvolumeclaims persistentvolumes"),
    _rule("get patch update", "''", "persistentvolumeclaims/status"),
    _rule("get", "''", "endpoints"),
    _rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
    _rule("create delete get patch update", _LEASES, "leases"),
    _rule(_READ, "storage.k8s.io", "csidrivers"),
    _rule("get", "storage.k8s.io", "volumeattachments"),
    _rule("create delete get patch update", "storage.k8s.io", "csinodes"),
    _rule("create", "''", "serviceaccounts/token"),
    _rule("get", "''", "serviceaccounts"),
    _rule(_READ, "node.k8s.io", "runtimeclasses"),
    _rule("get", "resource.k8s.io", "resourceclaims"),
    _rule(
        "deletecollection list watch create delete get patch update",
        "resource.k8s.io",
        "resourceslices",
    ),
]
_NODE_PROXIER: Final = [
    _rule("list watch", "''", "endpoints services"),
    _rule("get list watch", "''", "nodes"),
    _EVENTS,
    _rule("list watch", "discovery.k8s.io", "endpointslices"),
    _rule("list watch", "networking.k8s.io", "servicecidrs"),
]
_SCHEDULER: Final = [
    _EVENTS,
    _rule("create", _LEASES, "leases"),
    _rule(
        "get list patch update watch",
        _LEASES,
        "leases",
    ),
    _rule(_READ, "''", "nodes"),
    _rule("delete get list watch", "''", "pods"),
    _rule("create", "''", "bindings pods/binding"),
    _rule("patch update", "''", "pods/status"),
    _rule(_READ, "''", "replicationcontrollers services"),
    _rule(_READ, "apps", "replicasets statefulsets"),
    _rule(_READ, "policy", "poddisruptionbudgets"),
    _rule(_READ, "''", "persistentvolumeclaims persistentvolumes namespaces"),
    *_REVIEWS,
    _rule(
        _READ,
        "storage.k8s.io",
        "csinodes csidrivers csistoragecapacities storageclasses volumeattachments",
    ),
    _rule(_READ, "resource.k8s.io", "deviceclasses resourceclaims resourceslices"),
]
_CONTROLLER_MANAGER: Final = [
    _EVENTS,
    _rule("create get patch update", _LEASES, "leases"),
    _rule("create", "''", "secrets serviceaccounts"),
    _rule("delete", "''", "secrets"),
    _rule("get", "''", "configmaps namespaces secrets serviceaccounts"),
    _rule("update", "''", "secrets serviceaccounts"),
    *_REVIEWS,
    _rule("list watch", "*", "*"),
    _rule("create", "''", "serviceaccounts/token"),
]
_DNS: Final = [
    _rule("list watch", "''", "endpoints namespaces pods services"),
    _rule("list watch", "discovery.k8s.io", "endpointslices"),
]
# What naming the two ends of a request, and telling which endpoints were ready, takes.
_TRAFFIC_VIEWER: Final = [
    _rule("get watch", "tap.pilotfish.dev", "entries"),
    _rule("get", "proxy.pilotfish.dev", "tables"),
    _rule(_READ, "''", "events namespaces nodes pods services"),
    _rule(_READ, "discovery.k8s.io", "endpointslices"),
]
_KUBELET_API: Final = [
    _rule(_READ, "''", "nodes"),
    _rule("proxy", "''", "nodes"),
    _rule(
        "*",
        "''",
        "nodes/log nodes/metrics nodes/proxy nodes/stats nodes/configz nodes/healthz nodes/pods",
    ),
]

# Name: rules, in the order in which `kubectl get clusterroles` does not care.
_CLUSTER_ROLES: Final[dict[str, list[Rule]]] = {
    "cluster-admin": [_rule("*", "*", "*"), {"nonResourceURLs": ["*"], "verbs": ["*"]}],
    "system:aggregate-to-view": _VIEW,
    "system:aggregate-to-edit": _EDIT,
    "system:aggregate-to-admin": _ADMIN,
    "system:discovery": [
        _paths(
            "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version "
            "/version/"
        )
    ],
    "system:public-info-viewer": [_paths("/healthz /livez /readyz /version /version/")],
    "system:monitoring": [
        _paths("/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*")
    ],
    "system:basic-user": [
        _rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
        _rule("create", "authentication.k8s.io", "selfsubjectreviews"),
    ],
    "system:auth-delegator": _REVIEWS,
    "system:heapster": [
        _rule(_READ, "''", "events namespaces nodes pods"),
        _rule(_READ, "extensions", "deployments"),
    ],
    "system:kube-aggregator": [_rule(_READ, "''", "endpoints services")],
    "system:kube-controller-manager": _CONTROLLER_MANAGER,
    "system:kube-dns": _DNS,
    "system:kube-scheduler": _SCHEDULER,
    "system:kubelet-api-admin": _KUBELET_API,
    "system:node": NODE_RULES,
    "system:node-bootstrapper": [
        _rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests")
    ],
    "system:node-problem-detector": [
        _rule("get", "''", "nodes"),
        _rule("patch", "''", "nodes/status"),
        _EVENTS,
    ],
    "system:node-proxier": _NODE_PROXIER,
    "system:persistent-volume-provisioner": [
        _rule("create delete get list watch", "''", "persistentvolumes"),
        _rule("get list update watch", "''", "persistentvolumeclaims"),
        _rule(_READ, "storage.k8s.io", "storageclasses"),
        _rule("watch", "''", "events"),
        _EVENTS,
    ],
    "system:service-account-issuer-discovery": [
        _paths(
            "/.well-known/openid-configuration /.well-known/openid-configuration/ "
            "/openid/v1/jwks /openid/v1/jwks/"
        )
    ],
    "system:volume-scheduler": [
        _rule("get list patch update watch", "''", "persistentvolumes"),
        _rule(_READ, "storage.k8s.io", "storageclasses"),
        _rule("get list patch update watch", "''", "persistentvolumeclaims"),
    ],
    # The DNS announces itself on each node.
    "system:pilotfish:dns": [
        *_DNS,
        _rule("create get patch update", "''", "services"),
        _rule("create delete get patch update", "discovery.k8s.io", "endpointslices"),
        _EVENTS,
    ],
    # kube-proxy's role, and the Pods of the node, for their host ports.
    "system:pilotfish:proxy": [*_NODE_PROXIER, _rule("list watch", "''", "pods")],
    # For people: to see requests; and everything that was sent, secrets too.
    "system:pilotfish:traffic-viewer": _TRAFFIC_VIEWER,
    "system:pilotfish:packet-viewer": [
        *_TRAFFIC_VIEWER,
        _rule("get watch", "tap.pilotfish.dev", "packets"),
    ],
    "system:pilotfish:tap": [
        _rule(_READ, "''", "namespaces nodes pods services"),
        _rule(_READ, "discovery.k8s.io", "endpointslices"),
    ],
}
# Who aggregates what, and what each is itself aggregated to.
_AGGREGATES: Final = {"admin": "", "edit": "admin", "view": "edit"}
_CLUSTER_BINDINGS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
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


def _aggregate_to(name: str) -> str:
    return f"rbac.authorization.k8s.io/aggregate-to-{name}"


def _object(kind: str, name: str, labels: dict[str, str]) -> Object:
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": kind,
        "metadata": {
            "name": name,
            "labels": {**_LABELS, **labels},
            "annotations": {AUTOUPDATE: "true"},
        },
    }


def cluster_roles() -> list[Object]:
    """The ClusterRoles; aggregating ones have no rules yet."""
    roles = []
    for name, rules in _CLUSTER_ROLES.items():
        to = name.removeprefix("system:aggregate-to-")
        labels = {_aggregate_to(to): "true"} if to != name else {}
        roles.append({**_object("ClusterRole", name, labels), "rules": rules})
    for name, to in _AGGREGATES.items():
        labels = {_aggregate_to(to): "true"} if to else {}
        selector = {"matchLabels": {_aggregate_to(name): "true"}}
        rule = {"clusterRoleSelectors": [selector]}
        roles.append({**_object("ClusterRole", name, labels), "aggregationRule": rule})
    return roles


def cluster_role_bindings() -> list[Object]:
    """The ClusterRoleBindings."""
    return [
        {
            **_object("ClusterRoleBinding", name, {}),
            "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": role},
            "subjects": [_subject(text) for text in subjects],
        }
        for name, (role, subjects) in _CLUSTER_BINDINGS.items()
    ]


def _subject(text: str) -> Object:
    kind, name = text.split()
    if kind == "ServiceAccount":
        namespace, _, name = name.partition("/")
        return {"kind": kind, "name": name, "namespace": namespace}
    return {"apiGroup": _GROUP, "kind": kind, "name": name}
