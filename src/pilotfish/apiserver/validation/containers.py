"""Validation of containers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pilotfish.apiserver.validation.amounts import validate_resources
from pilotfish.apiserver.validation.causes import (
    Cause,
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.environment import validate_env, validate_env_from
from pilotfish.apiserver.validation.formats import dns_label, port_name, port_number
from pilotfish.apiserver.validation.handlers import validate_lifecycle, validate_probe
from pilotfish.apiserver.validation.securitycontexts import validate_security_context
from pilotfish.apiserver.validation.volumes import validate_relative

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("FallbackToLogsOnError", "File")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")


def validate_containers(
    spec: Mapping[str, Any], path: str, volumes: Collection[str]
) -> list[Cause]:
    """All containers of a PodSpec; names are unique over init containers and the others."""
    causes: list[Cause] = []
    names: set[str] = set()
    host_ports: set[tuple[str, str, int]] = set()
    if not spec.get("containers"):
        causes.append(required(f"{path}.containers"))
    for group in ("containers", "initContainers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(group) or ()):
            at = f"{path}.{group}[{index}]"
            causes += _validate_container(container, at, volumes)
            name = container.get("name", "")
            if name in names:
                causes.append(duplicate(f"{at}.name", name))
            elif name:
                names.add(name)
            if group == "containers":
                causes += _validate_host_ports(container, at, host_ports)
                causes += _validate_network_ports(container, at, spec)
            elif group == "initContainers":
                causes += _validate_init_only(container, at)
    return causes


def validate_images(spec: Mapping[str, Any], path: str) -> list[Cause]:
    """Check the images of a Pod; those of templates need not pass."""
    why = "must not have leading or trailing whitespace"
    return [
        invalid(f"{path}.{group}[{index}].image", container["image"], why)
        for group in ("containers", "initContainers", "ephemeralContainers")
        for index, container in enumerate(spec.get(group) or ())
        if container.get("image", "") != container.get("image", "").strip()
    ]


def _validate_container(
    container: Mapping[str, Any], path: str, volumes: Collection[str]
) -> list[Cause]:
    causes: list[Cause] = []
    name = container.get("name", "")
    if not name:
        causes.append(required(f"{path}.name"))
    else:
        why = dns_label(name)
        if why:
            causes.append(invalid(f"{path}.name", name, why))
    image = container.get("image", "")
    if not image:
        causes.append(required(f"{path}.image"))
    for field, choices in (
        ("imagePullPolicy", _PULL_POLICIES),
        ("terminationMessagePolicy", _MESSAGE_POLICIES),
    ):
        if container.get(field) not in choices:
            causes.append(not_supported(f"{path}.{field}", container.get(field, ""), choices))
    if container.get("ports"):
        causes += _validate_ports(container["ports"], f"{path}.ports")
    if container.get("env"):
        causes += validate_env(container["env"], f"{path}.env")
    if container.get("envFrom"):
        causes += validate_env_from(container["envFrom"], f"{path}.envFrom")
    if container.get("volumeMounts"):
        causes += _validate_mounts(container["volumeMounts"], f"{path}.volumeMounts", volumes)
    causes += validate_resources(container.get("resources"), f"{path}.resources")
    for probe in _PROBES:
        if container.get(probe) is not None:
            causes += validate_probe(container[probe], probe, f"{path}.{probe}")
    if container.get("securityContext"):
        at = f"{path}.securityContext"
        causes += validate_security_context(container["securityContext"], at)
    if container.get("lifecycle"):
        causes += validate_lifecycle(container["lifecycle"], f"{path}.lifecycle")
    policy = container.get("restartPolicy")
    if policy is not None and policy not in _RESTART_POLICIES:
        causes.append(not_supported(f"{path}.restartPolicy", policy, _RESTART_POLICIES))
    return causes


def _validate_init_only(container: Mapping[str, Any], path: str) -> list[Cause]:
    """Only an init container that keeps running can be asked how it fares."""
    if container.get("restartPolicy") == "Always":
        return []
    why = "may not be set for init containers without restartPolicy=Always"
    return [
        forbidden(f"{path}.{field}", why)
        for field in ("lifecycle", *_PROBES)
        if container.get(field) is not None
    ]


def _validate_ports(ports: list[dict[str, Any]], path: str) -> list[Cause]:
    causes: list[Cause] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        at = f"{path}[{index}]"
        name = port.get("name")
        if name:
            why = port_name(name)
            if why:
                causes.append(invalid(f"{at}.name", name, why))
            elif name in names:
                causes.append(duplicate(f"{at}.name", name))
            names.add(name)
        number = port.get("containerPort", 0)
        if number == 0:
            causes.append(required(f"{at}.containerPort"))
        else:
            why = port_number(number)
            if why:
                causes.append(invalid(f"{at}.containerPort", number, why))
        host_port = port.get("hostPort", 0)
        if host_port:
            why = port_number(host_port)
            if why:
                causes.append(invalid(f"{at}.hostPort", host_port, why))
        if port.get("protocol") not in _PROTOCOLS:
            causes.append(not_supported(f"{at}.protocol", port.get("protocol", ""), _PROTOCOLS))
    return causes


def _validate_host_ports(
    container: Mapping[str, Any], path: str, taken: set[tuple[str, str, int]]
) -> list[Cause]:
    causes: list[Cause] = []
    for index, port in enumerate(container.get("ports") or ()):
        number = port.get("hostPort")
        if not number:
            continue
        key = (port.get("protocol", ""), port.get("hostIP", ""), number)
        if key in taken:
            shown = f"{key[0]}/{key[1]}/{number}"
            causes.append(duplicate(f"{path}.ports[{index}].hostPort", shown))
        taken.add(key)
    return causes


def _validate_network_ports(
    container: Mapping[str, Any], path: str, spec: Mapping[str, Any]
) -> list[Cause]:
    if not spec.get("hostNetwork"):
        return []
    return [
        invalid(
            f"{path}.ports[{index}].hostPort",
            port["hostPort"],
            "must match `containerPort` when `hostNetwork` is true",
        )
        for index, port in enumerate(container.get("ports") or ())
        if port.get("hostPort") and port["hostPort"] != port.get("containerPort")
    ]


def _validate_mounts(
    mounts: list[dict[str, Any]], path: str, volumes: Collection[str]
) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        at = f"{path}[{index}]"
        name = mount.get("name", "")
        if not name:
            causes.append(required(f"{at}.name"))
        elif name not in volumes:
            causes.append(not_found(f"{at}.name", name))
        where = mount.get("mountPath", "")
        if not where:
            causes.append(required(f"{at}.mountPath"))
        elif where in seen:
            causes.append(invalid(f"{at}.mountPath", where, "must be unique"))
        seen.add(where)
        for field in ("subPath", "subPathExpr"):
            if mount.get(field):
                causes += validate_relative(mount[field], f"{at}.{field}")
        if mount.get("subPath") and mount.get("subPathExpr"):
            why = "subPathExpr and subPath are mutually exclusive"
            causes.append(invalid(f"{at}.subPathExpr", mount["subPathExpr"], why))
    return causes
