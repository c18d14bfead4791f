"""Warnings about containers: amounts, variables that hide others, ports that overlap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pilotfish.apiserver.warnings.amounts import fraction_warnings

_GROUPS: Final = ("initContainers", "containers", "ephemeralContainers")
_BYTES: Final = ("memory", "ephemeral-storage")
_SECCOMP: Final = "container.seccomp.security.alpha.kubernetes.io/"
_APP_ARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"


def container_warnings(
    spec: dict[str, Any], at: str, annotations: dict[str, str], notes: str
) -> Iterator[str]:
    """Warn about the containers of a PodSpec.

    Args:
        annotations: of the Pod or template, and at `notes` of the object.
    """
    is_template = at != "spec"
    pod_context = spec.get("securityContext") or {}
    for container, place in _containers(spec, at):
        name = container.get("name", "")
        context = container.get("securityContext") or {}
        seccomp = f"{_SECCOMP}{name}"
        if context.get("seccompProfile") is None and seccomp in annotations:
            yield (
                f'{notes}[{seccomp}]: non-functional in v1.27+; use the "seccompProfile" field '
                "instead"
            )
        profile = context.get("appArmorProfile") or pod_context.get("appArmorProfile")
        app_armor = f"{_APP_ARMOR}{name}"
        if is_template and profile is None and app_armor in annotations:
            yield (
                f'{notes}[{app_armor}]: deprecated since v1.30; use the "appArmorProfile" field '
                "instead"
            )
        yield from _fractions(container.get("resources") or {}, f"{place}.resources")
        yield from _hidden(container.get("env") or (), f"{place}.env")


def _containers(spec: dict[str, Any], at: str) -> Iterator[tuple[dict[str, Any], str]]:
    for group in _GROUPS:
        for index, container in enumerate(spec.get(group) or ()):
            yield container, f"{at}.{group}[{index}]"


def _fractions(resources: dict[str, Any], at: str) -> Iterator[str]:
    for name in _BYTES:
        for field in ("limits", "requests"):
            yield from fraction_warnings(resources, field, name, at)


def _hidden(variables: Any, at: str) -> Iterator[str]:
    """Variables that come twice, where the second does not build on the first."""
    seen: set[str] = set()
    for index, variable in enumerate(variables):
        name, value = variable.get("name", ""), variable.get("value", "")
        reference = f"$({name})"
        builds_on = reference in value and value != reference
        if name in seen and (variable.get("valueFrom") is not None or not builds_on):
            why = f'hides previous definition of "{name}", which may be dropped when using apply'
            yield f"{at}[{index}]: {why}"
        seen.add(name)


def port_warnings(spec: dict[str, Any], at: str) -> Iterator[str]:
    """Warn about ports that several containers, or one twice, define."""
    known: dict[tuple[int, str], list[tuple[dict[str, Any], str]]] = {}
    for container, place in _containers(spec, at):
        for index, port in enumerate(container.get("ports") or ()):
            here = f"{place}.ports[{index}]"
            key = (port.get("containerPort", 0), port.get("protocol", "TCP"))
            others = known.setdefault(key, [])
            for other, there in others:
                how = _overlap(port, other)
                if how:
                    yield f"{here}: {how} port definition with {there}"
            others.append((port, here))


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> str:
    (ip, port), (other_ip, other_port) = (
        (each.get("hostIP", ""), each.get("hostPort", 0)) for each in (one, other)
    )
    if (ip, port) == (other_ip, other_port):
        return "duplicate"
    if not port or not other_port:
        return "overlapping"
    if port == other_port and bool(ip) != bool(other_ip):
        return "dangerously ambiguous"
    return ""
