"""Valid objects of the kinds that have most code behind them; the fuzzer spoils them."""

from __future__ import annotations

from typing import Any

from pilotfish.objects.meta import Object
from support.objects import config_map, pod, service
from support.widgets import definition

_TEMPLATE: Object = {
    "metadata": {"labels": {"app": "f"}, "annotations": {"a": "b"}},
    "spec": {
        "containers": [
            {
                "name": "main",
                "image": "host",
                "command": ["sleep"],
                "args": ["1"],
                "env": [
                    {"name": "A", "value": "1"},
                    {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                ],
                "ports": [{"containerPort": 80, "name": "http", "protocol": "TCP"}],
                "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}},
                "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
                "livenessProbe": {"tcpSocket": {"port": 80}},
                "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
                "securityContext": {"runAsUser": 1},
            }
        ],
        "initContainers": [{"name": "init", "image": "host"}],
        "volumes": [
            {"name": "v", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "c", "configMap": {"name": "f", "items": [{"key": "a", "path": "b"}]}},
            {"name": "p", "projected": {"sources": [{"secret": {"name": "s"}}]}},
        ],
        "tolerations": [{"key": "a", "operator": "Exists", "tolerationSeconds": 3}],
        "affinity": {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "topologyKey": "kubernetes.io/hostname",
                        "labelSelector": {"matchLabels": {"app": "f"}},
                    }
                ]
            }
        },
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
        ],
        "restartPolicy": "Always",
    },
}
_SELECTOR: Object = {
    "matchLabels": {"app": "f"},
    "matchExpressions": [{"key": "app", "operator": "In", "values": ["f"]}],
}


def _of(api_version: str, kind: str, namespaced: bool = True, **fields: Any) -> Object:
    metadata: Object = {"name": "f", "labels": {"app": "f"}}
    if namespaced:
        metadata["namespace"] = "default"
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def _once(template: Object) -> Object:
    return {**template, "spec": {**template["spec"], "restartPolicy": "Never"}}


EXAMPLES: list[Object] = [
    config_map("f", a="b"),
    {**pod("f"), "spec": _TEMPLATE["spec"]},
    service("f"),
    service("f", type="NodePort", ports=[{"name": "a", "port": 80, "targetPort": "http"}]),
    service("f", clusterIP="None", ipFamilies=["IPv4"], sessionAffinity="ClientIP"),
    _of("apps/v1", "Deployment", spec={
        "replicas": 1, "selector": _SELECTOR, "template": _TEMPLATE,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}},
    }),
    _of("apps/v1", "ReplicaSet", spec={"selector": _SELECTOR, "template": _TEMPLATE}),
    _of("apps/v1", "DaemonSet", spec={"selector": _SELECTOR, "template": _TEMPLATE}),
    _of("apps/v1", "StatefulSet", spec={
        "serviceName": "f", "selector": _SELECTOR, "template": _TEMPLATE,
        "volumeClaimTemplates": [{
            "metadata": {"name": "v"},
            "spec": {"accessModes": ["ReadWriteOnce"],
                     "resources": {"requests": {"storage": "1Gi"}}},
        }],
    }),
    _of("v1", "ReplicationController", spec={
        "replicas": 1, "selector": {"app": "f"}, "template": _TEMPLATE,
    }),
    _of("batch/v1", "Job", spec={
        "completions": 2, "completionMode": "Indexed", "template": _once(_TEMPLATE),
        "podFailurePolicy": {"rules": [
            {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}},
        ]},
    }),
    _of("batch/v1", "CronJob", spec={
        "schedule": "*/5 * * * *", "timeZone": "Etc/UTC",
        "jobTemplate": {"spec": {"template": _once(_TEMPLATE)}},
    }),
    _of("networking.k8s.io/v1", "Ingress", spec={
        "rules": [{"host": "a.example", "http": {"paths": [{
            "path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": "f", "port": {"number": 80}}},
        }]}}],
        "tls": [{"hosts": ["a.example"], "secretName": "s"}],
    }),
    _of("networking.k8s.io/v1", "NetworkPolicy", spec={
        "podSelector": _SELECTOR, "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
                     "ports": [{"port": 80, "endPort": 90}]}],
    }),
    _of("networking.k8s.io/v1", "ServiceCIDR", False, spec={"cidrs": ["10.64.0.0/24"]}),
    _of("networking.k8s.io/v1", "IPAddress", False, spec={
        "parentRef": {"resource": "services", "name": "f", "namespace": "default"},
    }),
    _of("policy/v1", "PodDisruptionBudget", spec={"minAvailable": "50%", "selector": _SELECTOR}),
    _of("autoscaling/v2", "HorizontalPodAutoscaler", spec={
        "maxReplicas": 3,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "f"},
        "metrics": [{"type": "Resource", "resource": {
            "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}],
    }),
    _of("v1", "PersistentVolumeClaim", spec={
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
    }),
    _of("v1", "PersistentVolume", False, spec={
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/tmp"},
    }),
    _of("v1", "Secret", type="Opaque", data={"a": "YQ=="}, stringData={"b": "c"}),
    _of("v1", "ServiceAccount", secrets=[{"name": "s"}]),
    _of("v1", "Namespace", False, spec={"finalizers": ["kubernetes"]}),
    _of("v1", "Node", False, spec={"podCIDR": "10.244.9.0/24", "taints": [
        {"key": "a", "effect": "NoSchedule"}]},
        status={"conditions": [{"type": "Ready", "status": "True"}],
                "capacity": {"cpu": "4"}, "allocatable": {"cpu": "4"}}),
    _of("v1", "Endpoints", subsets=[
        {"addresses": [{"ip": "10.244.0.9"}], "ports": [{"port": 80}]}]),
    _of("v1", "Event", involvedObject={"kind": "Pod", "name": "f", "namespace": "default"},
        reason="R", message="m", type="Normal", count=1,
        firstTimestamp="2026-01-01T00:00:00Z", lastTimestamp="2026-01-01T00:00:00Z"),
    _of("v1", "ResourceQuota", spec={"hard": {"pods": "3"}}),
    _of("v1", "LimitRange", spec={"limits": [{"type": "Container", "max": {"cpu": "1"}}]}),
    _of("discovery.k8s.io/v1", "EndpointSlice", addressType="IPv4",
        endpoints=[{"addresses": ["10.244.0.9"], "conditions": {"ready": True}}],
        ports=[{"name": "a", "port": 80, "protocol": "TCP"}]),
    _of("coordination.k8s.io/v1", "Lease", spec={
        "holderIdentity": "h", "leaseDurationSeconds": 3,
        "renewTime": "2026-01-01T00:00:00.000000Z"}),
    _of("rbac.authorization.k8s.io/v1", "Role", rules=[
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
    _of("rbac.authorization.k8s.io/v1", "ClusterRole", False,
        rules=[{"nonResourceURLs": ["/x"], "verbs": ["get"]}],
        aggregationRule={"clusterRoleSelectors": [_SELECTOR]}),
    _of("rbac.authorization.k8s.io/v1", "RoleBinding",
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "f"},
        subjects=[{"kind": "ServiceAccount", "name": "f", "namespace": "default"}]),
    _of("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", False,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "f"},
        subjects=[{"kind": "User", "name": "u", "apiGroup": "rbac.authorization.k8s.io"}]),
    _of("scheduling.k8s.io/v1", "PriorityClass", False, value=1),
    _of("storage.k8s.io/v1", "StorageClass", False, provisioner="p", parameters={"a": "b"}),
    _of("certificates.k8s.io/v1", "CertificateSigningRequest", False, spec={
        "request": "YQ==", "signerName": "example.com/s", "usages": ["client auth"]}),
    {**definition(), "metadata": {"name": "widgets.example.com"}},
    {"apiVersion": "example.com/v1", "kind": "Widget",
     "metadata": {"name": "f", "namespace": "default"},
     "spec": {"color": "red", "size": "1", "free": {"a": [1]}, "ports": [{"port": 80}],
              "template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}}},
    _of("authorization.k8s.io/v1", "SelfSubjectAccessReview", False, spec={
        "resourceAttributes": {"verb": "get", "resource": "pods"}}),
    _of("authorization.k8s.io/v1", "SubjectAccessReview", False, spec={
        "user": "u", "groups": ["g"], "extra": {"a": ["b"]},
        "nonResourceAttributes": {"verb": "get", "path": "/x"}}),
    _of("authorization.k8s.io/v1", "LocalSubjectAccessReview", True, spec={
        "user": "u", "resourceAttributes": {
            "verb": "get", "namespace": "default", "resource": "pods",
            "fieldSelector": {"requirements": [
                {"key": "metadata.name", "operator": "In", "values": ["x"]}]}}}),
    _of("authorization.k8s.io/v1", "SelfSubjectRulesReview", False, spec={"namespace": "default"}),
    _of("authentication.k8s.io/v1", "TokenReview", False, spec={"token": "t", "audiences": ["a"]}),
    _of("authentication.k8s.io/v1", "SelfSubjectReview", False),
]  # fmt: skip

# What subresources take, by the end of their path.
BODIES: dict[str, Object] = {
    "binding": {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "f"},
                "target": {"kind": "Node", "name": "n"}},
    "eviction": {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "f"},
                 "deleteOptions": {"gracePeriodSeconds": 0, "dryRun": ["All"],
                                   "preconditions": {"uid": "x"}}},
    "scale": {"apiVersion": "autoscaling/v1", "kind": "Scale",
              "metadata": {"name": "f", "namespace": "default"}, "spec": {"replicas": 2}},
    "token": {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
              "spec": {"audiences": ["a"], "expirationSeconds": 600,
                       "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "f"}}},
    "delete": {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 1,
               "propagationPolicy": "Background", "preconditions": {"resourceVersion": "1"}},
}  # fmt: skip
