"""Defaults of containers: image pull policy, termination message, ports, lifecycle, probes."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.defaulting.quantities import canonicalize

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def default_container(container: dict[str, Any]) -> None:
    if not container.get("imagePullPolicy"):
        image = container.get("image") or ""
        container["imagePullPolicy"] = "Always" if _is_latest(image) else "IfNotPresent"
    if not container.get("terminationMessagePath"):
        container["terminationMessagePath"] = "/dev/termination-log"
    if not container.get("terminationMessagePolicy"):
        container["terminationMessagePolicy"] = "File"
    resources = container.setdefault("resources", {})
    canonicalize(resources.get("limits"))
    canonicalize(resources.get("requests"))
    for port in container.get("ports") or ():
        if not port.get("protocol"):
            port["protocol"] = "TCP"
    for variable in container.get("env") or ():
        source = variable.get("valueFrom")
        if source and "fieldRef" in source and not source["fieldRef"].get("apiVersion"):
            source["fieldRef"]["apiVersion"] = "v1"
        if source and "resourceFieldRef" in source:
            source["resourceFieldRef"].setdefault("divisor", "0")
    for name in _PROBES:
        probe = container.get(name)
        if probe is not None:
            _default_probe(probe)
    lifecycle = container.get("lifecycle")
    for hook in ("postStart", "preStop"):
        if lifecycle and lifecycle.get(hook):
            _default_http_get(lifecycle[hook])


def default_requests_from_limits(resources: dict[str, Any]) -> None:
    """What a limit is set for and no request, is requested as much as it is limited."""
    limits = resources.get("limits")
    if limits:
        requests = resources.setdefault("requests", {})
        for name, amount in limits.items():
            requests.setdefault(name, amount)


def _default_probe(probe: dict[str, Any]) -> None:
    for field, value in (
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ):
        if not probe.get(field):
            probe[field] = value
    _default_http_get(probe)
    if probe.get("grpc") is not None:
        probe["grpc"].setdefault("service", "")


def _default_http_get(handler: dict[str, Any]) -> None:
    get = handler.get("httpGet")
    if get is not None:
        if not get.get("path"):
            get["path"] = "/"
        if not get.get("scheme"):
            get["scheme"] = "HTTP"


def _is_latest(image: str) -> bool:
    """Whether the reference means the tag `latest`: by name, or by neither tag nor digest."""
    if "@" in image:
        return False
    _, _, last = image.rpartition("/")
    _, colon, tag = last.partition(":")
    return not colon or tag == "latest"
