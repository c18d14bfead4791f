"""Objects for tests: as small as the API's can be, with what a test is about given by name."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from pilotfish.objects.meta import Object, owner_reference
from pilotfish.objects.times import format_time

_numbers = itertools.count(1)


def ago(seconds: float) -> str:
    """The time that was so many seconds ago."""
    return format_time(datetime.now(UTC) - timedelta(seconds=seconds))


def metadata(name: str, namespace: str = "default", **fields: Any) -> Object:
    """Metadata with a uid and a version of their own; `owner=` becomes the controller."""
    owner = fields.pop("owner", None)
    number = next(_numbers)
    result: Object = {"name": name, "uid": f"uid-{name}-{number}", "resourceVersion": str(number)}
    result["creationTimestamp"] = ago(60)
    if namespace:
        result["namespace"] = namespace
    if owner:
        result["ownerReferences"] = [owner_reference(owner)]
    return result | fields


def make_pod(
    name: str = "pod",
    *,
    node: str = "",
    ip: str = "",
    ready: bool = False,
    ready_for_s: float = 30,
    phase: str = "",
    spec: Object | None = None,
    **fields: Any,
) -> Object:
    """A Pod; further fields are its metadata's."""
    status: Object = {"phase": phase or ("Running" if ready else "Pending")}
    status["conditions"] = [
        {"type": "Ready", "status": str(ready), "lastTransitionTime": ago(ready_for_s)}
    ]
    if ip:
        status |= {"podIP": ip, "podIPs": [{"ip": ip}]}
    body = {"containers": [{"name": "c", "image": "host"}], **(spec or {})}
    if node:
        body["nodeName"] = node
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata(name, **fields),
        "spec": body,
        "status": status,
    }


def make_node(
    name: str, *, ready: str = "True", spec: Object | None = None, **fields: Any
) -> Object:
    """A Node with 4 CPUs and 8 GiB; further fields are its metadata's."""
    have = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata(name, namespace="", **fields),
        "spec": spec or {},
        "status": {
            "allocatable": have,
            "capacity": have,
            "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": ago(60)}],
        },
    }


def make_service(name: str = "web", *, spec: Object | None = None, **fields: Any) -> Object:
    """A Service of port 80 that selects `app: <name>`; further fields are its metadata's."""
    body: Object = {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.50",
        "selector": {"app": name},
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 8080}],
        "ipFamilies": ["IPv4"],
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(name, **fields),
        "spec": body | (spec or {}),
    }


def make_replica_set(
    name: str = "web",
    replicas: int = 1,
    *,
    kind: str = "ReplicaSet",
    status: Object | None = None,
    template: Object | None = None,
    spec: Object | None = None,
    **fields: Any,
) -> Object:
    """A ReplicaSet (or another kind of workload) of Pods labelled `app: <name>`."""
    labels = {"app": name}
    body: Object = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": template
        or {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "c", "image": "host"}]},
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": metadata(name, **fields),
        "spec": body | (spec or {}),
        "status": status or {},
    }
