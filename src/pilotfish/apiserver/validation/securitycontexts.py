"""Validation of security contexts, of Pods and of containers."""

from __future__ import annotations

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
    seen: set[str] = set()
    for index, sysctl in enumerate(context.get("sysctls") or ()):
        name = sysctl.get("name", "")
        if not name:
            causes.append(required(f"{path}.sysctls[{index}].name"))
        elif name in seen:
            causes.append(duplicate(f"{path}.sysctls[{index}].name", name))
        seen.add(name)
    return causes


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
