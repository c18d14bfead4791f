"""Validation of Secrets: types that Kubernetes knows need the keys it knows."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import Cause, immutable, required
from pilotfish.apiserver.validation.keyed import validate_frozen, validate_keys, validate_size
from pilotfish.objects.meta import Object

_NEEDED: dict[str, tuple[str, ...]] = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_ACCOUNT = "kubernetes.io/service-account.name"


def validate(obj: Object) -> list[Cause]:
    data = obj.get("data") or {}
    kind = obj.get("type", "")
    causes = validate_keys(data, "data")
    causes += validate_size(sum(len(text) * 3 // 4 for text in data.values()), "data")
    causes += [required(f"data[{key}]") for key in _NEEDED.get(kind, ()) if key not in data]
    if kind == "kubernetes.io/basic-auth" and not data.keys() & {"username", "password"}:
        causes += [required("data[username]"), required("data[password]")]
    if kind == "kubernetes.io/service-account-token":
        annotations = obj["metadata"].get("annotations") or {}
        if not annotations.get(_ACCOUNT):
            causes.append(required(f"metadata.annotations[{_ACCOUNT}]"))
    return causes


def validate_update(new: Object, old: Object) -> list[Cause]:
    causes = validate_frozen(new, old, "data")
    if new.get("type") != old.get("type"):
        causes.append(immutable("type", new.get("type", "")))
    return causes
