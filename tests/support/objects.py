"""Small Kubernetes objects for tests."""

from __future__ import annotations

from typing import Any

from pilotfish.objects.meta import Object


def config_map(name: str, namespace: str = "default", **data: str) -> Object:
    """A ConfigMap."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def service(name: str, namespace: str = "default", **spec: Any) -> Object:
    """A Service of one port, unless the spec says otherwise."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": [{"port": 80}], "selector": {"app": name}, **spec},
    }


def pod(name: str, namespace: str = "default", **spec: Any) -> Object:
    """A Pod of one container."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": "main", "image": "host"}], **spec},
    }


def replica_set(name: str, replicas: int, namespace: str = "default") -> Object:
    """A ReplicaSet over `pod`s labelled app=NAME."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "host"}]},
            },
        },
    }
