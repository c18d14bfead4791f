"""What kube-apiserver's objects have even where nobody wrote it.

Its objects are Go structs, and a struct inside a struct is there with the outer one. So nobody
is noted as the one who added it; everything else that holds fields is noted with a "." of its
own. Which fields are so is written in Kubernetes' types (no pointer, or no omitempty).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Presence = Mapping[str, Any]

_NOTHING: Final[Presence] = {}
_POD: Final[Presence] = {"metadata": {}, "spec": {"containers": {}}}
_ANY: Final[Presence] = {"metadata": {}, "spec": {}, "status": {}}
_OF_JOB: Final[Presence] = {"template": _POD}
_KINDS: Final[Mapping[tuple[str, str], Presence]] = {
    ("v1", "Event"): {"involvedObject": {}, "source": {}},
    ("v1", "Node"): {"status": {"daemonEndpoints": {"kubeletEndpoint": {}}, "nodeInfo": {}}},
    ("v1", "PersistentVolumeClaim"): {"spec": {"resources": {}}},
    ("v1", "Pod"): {"spec": {"containers": {}}},
    ("v1", "PodTemplate"): {"template": _POD},
    ("v1", "Service"): {"status": {"loadBalancer": {}}},
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): {
        "spec": {"names": {}},
        "status": {"acceptedNames": {}},
    },
    ("apps/v1", "DaemonSet"): {"spec": {"template": _POD, "updateStrategy": {}}},
    ("apps/v1", "Deployment"): {"spec": {"template": _POD, "strategy": {}}},
    ("apps/v1", "ReplicaSet"): {"spec": {"template": _POD}},
    ("apps/v1", "StatefulSet"): {"spec": {"template": _POD, "updateStrategy": {}}},
    ("autoscaling/v2", "HorizontalPodAutoscaler"): {"spec": {"scaleTargetRef": {}}},
    ("batch/v1", "CronJob"): {"spec": {"jobTemplate": {"metadata": {}, "spec": _OF_JOB}}},
    ("batch/v1", "Job"): {"spec": _OF_JOB},
    ("events.k8s.io/v1", "Event"): {"regarding": {}, "deprecatedSource": {}},
    ("networking.k8s.io/v1", "Ingress"): {"status": {"loadBalancer": {}}},
}
_CUSTOM: Final[Presence] = {"metadata": {}}


def presence_of(api_version: str, kind: str, *, is_custom: bool) -> Presence:
    """The fields that are always there; below each, those that are there with it."""
    return _CUSTOM if is_custom else {**_ANY, **_KINDS.get((api_version, kind), _NOTHING)}
