"""What kube-apiserver's standard admission plugins add to a Pod.

Plugins ServiceAccount, DefaultTolerationSeconds and Priority:
https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from __future__ import annotations

import random
from typing import Any

_EVICTION_DELAY_S = 300
_FAILING_NODE_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_SYSTEM_PRIORITIES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}
_TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOKEN_VOLUME_PREFIX = "kube-api-access-"
# An hour, and seven seconds more by which such tokens are told from those users ask for.
_TOKEN_EXPIRATION_S = 3607
# Letters and digits that cannot form words, as the API server's name generator uses.
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def admit(spec: dict[str, Any]) -> None:
    """Complete a defaulted PodSpec that is being created, in place."""
    account = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = account
    if spec.get("automountServiceAccountToken") is not False:
        _mount_token(spec)
    _tolerate_failing_nodes(spec)
    _give_priority(spec)


def keep(new: dict[str, Any], old: dict[str, Any]) -> None:
    """Take over what `admit` added to the stored Pod where an update says nothing of it."""
    for field in ("priority", "preemptionPolicy", "tolerations"):
        if field not in new and field in old:
            new[field] = old[field]


def _mount_token(spec: dict[str, Any]) -> None:
    containers = [
        container
        for group in ("initContainers", "containers")
        for container in spec.get(group) or ()
        if not any(
            mount.get("mountPath") == _TOKEN_FOLDER for mount in container.get("volumeMounts") or ()
        )
    ]
    if not containers:
        return
    volumes = spec.get("volumes") or []
    name = next((volume["name"] for volume in volumes if _is_token_volume(volume)), None)
    if name is None:
        name = _TOKEN_VOLUME_PREFIX + "".join(random.choices(_SUFFIX_LETTERS, k=5))
        volumes.append(_token_volume(name))
        spec["volumes"] = volumes
    for container in containers:
        mounts = container.get("volumeMounts") or []
        mounts.append({"name": name, "readOnly": True, "mountPath": _TOKEN_FOLDER})
        container["volumeMounts"] = mounts


def _is_token_volume(volume: dict[str, Any]) -> bool:
    name: str = volume.get("name", "")
    return name.startswith(_TOKEN_VOLUME_PREFIX) and "projected" in volume


def _token_volume(name: str) -> dict[str, Any]:
    """The API token, the cluster's CA and the namespace, in one folder."""
    namespace = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    ca = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    token = {"expirationSeconds": _TOKEN_EXPIRATION_S, "path": "token"}
    return {
        "name": name,
        "projected": {
            "sources": [
                {"serviceAccountToken": token},
                {"configMap": ca},
                {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": namespace}]}},
            ],
            "defaultMode": 0o644,
        },
    }


def _tolerate_failing_nodes(spec: dict[str, Any]) -> None:
    tolerations = spec.get("tolerations") or []
    for taint in _FAILING_NODE_TAINTS:
        if not any(
            toleration.get("key", "") in (taint, "")
            and toleration.get("effect", "") in ("NoExecute", "")
            for toleration in tolerations
        ):
            tolerations.append(
                {
                    "key": taint,
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": _EVICTION_DELAY_S,
                }
            )
    spec["tolerations"] = tolerations


def _give_priority(spec: dict[str, Any]) -> None:
    name = spec.get("priorityClassName", "")
    if name in _SYSTEM_PRIORITIES:
        spec.setdefault("priority", _SYSTEM_PRIORITIES[name])
    elif not name:
        spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
