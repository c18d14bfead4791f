"""Validation of containers' environment variables and where their values come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import (
    Cause,
    invalid,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.formats import config_key, env_name

_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_KEYED_FIELDS = ("metadata.labels['", "metadata.annotations['")
_RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)


def validate_env(variables: list[dict[str, Any]], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, variable in enumerate(variables):
        at = f"{path}[{index}]"
        name = variable.get("name", "")
        if not name:
            causes.append(required(f"{at}.name"))
        else:
            why = env_name(name)
            if why:
                causes.append(invalid(f"{at}.name", name, why))
        if variable.get("valueFrom") is not None:
            causes += _validate_source(variable, f"{at}.valueFrom")
    return causes


def validate_env_from(sources: list[dict[str, Any]], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, source in enumerate(sources):
        at = f"{path}[{index}]"
        present = [kind for kind in ("configMapRef", "secretRef") if source.get(kind) is not None]
        if not present:
            why = "must specify one of: `configMapRef` or `secretRef`"
            causes.append(invalid(at, "", why))
        elif len(present) > 1:
            why = "may not have more than one field specified at a time"
            causes.append(invalid(at, "", why))
        if source.get("prefix"):
            why = env_name(source["prefix"])
            if why:
                causes.append(invalid(f"{at}.prefix", source["prefix"], why))
        for kind in present:
            causes += _validate_reference(source[kind], f"{at}.{kind}")
    return causes


def _validate_source(variable: Mapping[str, Any], path: str) -> list[Cause]:
    source = variable["valueFrom"]
    if variable.get("value"):
        return [invalid(path, "", "may not be specified when `value` is not empty")]
    present = [kind for kind in _SOURCES if source.get(kind) is not None]
    if not present:
        why = (
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
            "`secretKeyRef` or `fileKeyRef`"
        )
        return [invalid(path, "", why)]
    if len(present) > 1:
        return [invalid(path, "", "may not have more than one field specified at a time")]
    kind = present[0]
    reference, at = source[kind], f"{path}.{kind}"
    if kind == "fieldRef":
        return validate_field_path(reference.get("fieldPath", ""), f"{at}.fieldPath")
    if kind == "resourceFieldRef":
        return _validate_resource_name(reference.get("resource", ""), f"{at}.resource")
    if kind == "fileKeyRef":
        return []
    causes = _validate_reference(reference, at)
    key = reference.get("key", "")
    if not key:
        causes.append(required(f"{at}.key"))
    else:
        why = config_key(key)
        if why:
            causes.append(invalid(f"{at}.key", key, why))
    return causes


def validate_field_path(field: str, at: str) -> list[Cause]:
    """A field of the Pod, as the downward API names it."""
    if not field:
        return [required(at)]
    if field in _FIELDS or (field.startswith(_KEYED_FIELDS) and field.endswith("']")):
        return []
    return [not_supported(at, field, _FIELDS)]


def _validate_resource_name(name: str, at: str) -> list[Cause]:
    if not name:
        return [required(at)]
    if name in _RESOURCES or name.startswith(("limits.hugepages-", "requests.hugepages-")):
        return []
    return [not_supported(at, name, _RESOURCES)]


def _validate_reference(reference: Mapping[str, Any], at: str) -> list[Cause]:
    return [] if reference.get("name") else [required(f"{at}.name")]
