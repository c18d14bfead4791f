"""Validation of what a kubelet runs or asks: the handlers of probes and lifecycle hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import (
    Cause,
    forbidden,
    invalid,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.formats import (
    NOT_NEGATIVE,
    NOT_POSITIVE,
    port_number,
    port_number_or_name,
)

_PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
_SCHEMES = ("HTTP", "HTTPS")
_TIMING_FIELDS = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)


def validate_probe(probe: Mapping[str, Any], name: str, path: str) -> list[Cause]:
    """A probe, of which `name` is livenessProbe, readinessProbe or startupProbe."""
    causes = _validate_handler(probe, _PROBE_HANDLERS, path)
    causes += [
        invalid(f"{path}.{field}", probe[field], NOT_NEGATIVE)
        for field in _TIMING_FIELDS
        if probe.get(field, 0) < 0
    ]
    if name != "readinessProbe" and probe.get("successThreshold", 1) != 1:
        causes.append(invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1"))
    grace_s = probe.get("terminationGracePeriodSeconds")
    if grace_s is not None:
        at = f"{path}.terminationGracePeriodSeconds"
        if name == "readinessProbe":
            causes.append(invalid(at, grace_s, "must not be set for readinessProbes"))
        elif grace_s <= 0:
            causes.append(invalid(at, grace_s, NOT_POSITIVE))
    return causes


def validate_lifecycle(lifecycle: Mapping[str, Any], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for hook in ("postStart", "preStop"):
        if lifecycle.get(hook) is not None:
            causes += _validate_handler(lifecycle[hook], _HOOK_HANDLERS, f"{path}.{hook}")
    return causes


def _validate_handler(holder: Mapping[str, Any], kinds: tuple[str, ...], path: str) -> list[Cause]:
    present = [kind for kind in kinds if holder.get(kind) is not None]
    if not present:
        return [required(path, "must specify a handler type")]
    causes = [
        forbidden(f"{path}.{kind}", "may not specify more than 1 handler type")
        for kind in present[1:]
    ]
    kind = present[0]
    handler, at = holder[kind], f"{path}.{kind}"
    if kind == "exec":
        if not handler.get("command"):
            causes.append(required(f"{at}.command"))
    elif kind == "httpGet":
        if not handler.get("path"):
            causes.append(required(f"{at}.path"))
        causes += _validate_port(handler, at)
        if handler.get("scheme") not in _SCHEMES:
            causes.append(not_supported(f"{at}.scheme", handler.get("scheme", ""), _SCHEMES))
        causes += [
            required(f"{at}.httpHeaders[{index}].name")
            for index, header in enumerate(handler.get("httpHeaders") or ())
            if not header.get("name")
        ]
    elif kind == "tcpSocket":
        causes += _validate_port(handler, at)
    elif kind == "grpc":
        why = port_number(handler.get("port", 0))
        if why:
            causes.append(invalid(f"{at}.port", handler.get("port", 0), why))
    return causes


def _validate_port(handler: Mapping[str, Any], at: str) -> list[Cause]:
    port = handler.get("port", 0)
    why = port_number_or_name(port)
    return [invalid(f"{at}.port", port, why)] if why else []
