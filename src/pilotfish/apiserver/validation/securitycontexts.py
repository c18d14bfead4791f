"""Validation of security contexts, of Pods and of containers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import (
    Cause,
    duplicate,
    invalid,
    not_supported,
    required,
)

_IDS = ("fsGroup", "runAsGroup", "runAsUser")
_MAX_ID = 2**31 - 1
# Kubernetes' pkg/apis/core/validation: parts of letters, with dots or slashes between them.
_SYSCTL_WORDS = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
_SYSCTL = re.compile(_SYSCTL_WORDS)
_MAX_SYSCTL = 253
# The sysctls of the namespace that a Pod shares with its node by a field.
_SHARED_SYSCTLS = {
    "hostIPC": ("kernel.sem", "kernel.shm", "kernel.msg", "fs.mqueue."),
    "hostNetwork": ("net.",),
}
_SECCOMP_TYPES = ("Localhost", "RuntimeDefault", "Unconfined")


def validate_security_context(context: Mapping[str, Any], path: str) -> list[Cause]:
    causes = [
        invalid(f"{path}.{field}", context[field], f"must be between 0 and {_MAX_ID}, inclusive")
        for field in _IDS
        if context.get(field) is not None and not 0 <= context[field] <= _MAX_ID
    ]
    if context.get("privileged") and context.get("allowPrivilegeEscalation") is False:
        why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        causes.append(invalid(path, context, why))
    seccomp = context.get("seccompProfile")
    if seccomp is not None:
        causes += _validate_seccomp(seccomp, f"{path}.seccompProfile")
    return causes


def validate_sysctls(spec: Mapping[str, Any], path: str) -> list[Cause]:
    """The sysctls of a PodSpec's security context; `path` is theirs."""
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, sysctl in enumerate((spec.get("securityContext") or {}).get("sysctls") or ()):
        name, at = sysctl.get("name", ""), f"{path}[{index}].name"
        if not name:
            causes.append(required(at))
        elif len(name) > _MAX_SYSCTL or not _SYSCTL.fullmatch(name):
            why = f"must have at most {_MAX_SYSCTL} characters and match regex {_SYSCTL_WORDS}"
            causes.append(invalid(at, name, why))
        elif name in seen:
            causes.append(duplicate(at, name))
        seen.add(name)
        for field, prefixes in _SHARED_SYSCTLS.items():
            if spec.get(field) and name.replace("/", ".").startswith(prefixes):
                causes.append(invalid(at, name, f"may not be specified when '{field}' is true"))
    return causes


def validate_proc_mounts(spec: Mapping[str, Any], path: str) -> list[Cause]:
    """An unmasked /proc is for containers with a user namespace; `path` is the PodSpec's."""
    if spec.get("hostUsers") is False:
        return []
    why = "`hostUsers` must be false to use `Unmasked`"
    return [
        invalid(f"{path}.{group}[{index}].securityContext.procMount", "Unmasked", why)
        for group in ("containers", "initContainers", "ephemeralContainers")
        for index, container in enumerate(spec.get(group) or ())
        if (container.get("securityContext") or {}).get("procMount") == "Unmasked"
    ]


def _validate_seccomp(profile: Mapping[str, Any], path: str) -> list[Cause]:
    kind = profile.get("type", "")
    if not kind:
        return [required(f"{path}.type", "type is required when seccompProfile is set")]
    if kind not in _SECCOMP_TYPES:
        return [not_supported(f"{path}.type", kind, _SECCOMP_TYPES)]
    named = bool(profile.get("localhostProfile"))
    if kind == "Localhost" and not named:
        why = "must be set when seccomp type is Localhost"
        return [required(f"{path}.localhostProfile", why)]
    if kind != "Localhost" and named:
        why = "can only be set when seccomp type is Localhost"
        return [invalid(f"{path}.localhostProfile", profile["localhostProfile"], why)]
    return []
