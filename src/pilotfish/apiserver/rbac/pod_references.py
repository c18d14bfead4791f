"""References: the objects that a Pod needs its node to read.

What `Visit…Names` of k8s.io/kubernetes pkg/api/v1/pod finds. Volume kinds that need a driver
outside of the kubelet are left out: no node here mounts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pilotfish.objects.meta import Object, annotations_of, key_of, name_of, namespace_of

MIRROR: Final = "kubernetes.io/config.mirror"
_CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")

# A resource and the key of one of its objects.
Reference = tuple[str, str]


def references(pod: Object) -> frozenset[Reference]:
    """What a Pod refers to, itself included; a mirror Pod gives its node nothing more."""
    own = ("pods", key_of(pod))
    if MIRROR in annotations_of(pod):
        return frozenset({own})
    namespace = namespace_of(pod)
    return frozenset(
        {own, *((resource, f"{namespace}/{name}") for resource, name in _named(pod) if name)}
    )


def _named(pod: Object) -> Iterator[tuple[str, str]]:
    spec = pod["spec"]
    yield "serviceaccounts", spec.get("serviceAccountName", "")
    for secret in spec.get("imagePullSecrets") or ():
        yield "secrets", secret.get("name", "")
    for field in _CONTAINERS:
        for container in spec.get(field) or ():
            yield from _of_container(container)
    for volume in spec.get("volumes") or ():
        yield from _of_volume(pod, volume)


def _of_container(container: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for source in container.get("envFrom") or ():
        yield "secrets", (source.get("secretRef") or {}).get("name", "")
        yield "configmaps", (source.get("configMapRef") or {}).get("name", "")
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        yield "secrets", (source.get("secretKeyRef") or {}).get("name", "")
        yield "configmaps", (source.get("configMapKeyRef") or {}).get("name", "")


def _of_volume(pod: Object, volume: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "secrets", (volume.get("secret") or {}).get("secretName", "")
    yield "configmaps", (volume.get("configMap") or {}).get("name", "")
    yield "persistentvolumeclaims", (volume.get("persistentVolumeClaim") or {}).get("claimName", "")
    if volume.get("ephemeral"):
        yield "persistentvolumeclaims", f"{name_of(pod)}-{volume['name']}"
    for source in (volume.get("projected") or {}).get("sources") or ():
        yield "secrets", (source.get("secret") or {}).get("name", "")
        yield "configmaps", (source.get("configMap") or {}).get("name", "")
