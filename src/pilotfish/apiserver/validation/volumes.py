"""Validation of a Pod's volumes: each has a name of its own and exactly one source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import (
    Cause,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.environment import validate_field_path
from pilotfish.apiserver.validation.formats import dns_label

# What each source cannot do without. Sources that are not named here need nothing.
_REQUIRED: dict[str, tuple[str, ...]] = {
    "configMap": ("name",),
    "csi": ("driver",),
    "hostPath": ("path",),
    "iscsi": ("targetPortal", "iqn"),
    "nfs": ("server", "path"),
    "persistentVolumeClaim": ("claimName",),
    "secret": ("secretName",),
}
_HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_MAX_MODE = 0o777
MIN_TOKEN_EXPIRATION_S = 600


def validate_volumes(volumes: list[dict[str, Any]], path: str) -> list[Cause]:
    causes: list[Cause] = []
    names: set[str] = set()
    for index, volume in enumerate(volumes):
        at = f"{path}[{index}]"
        name = volume.get("name", "")
        if not name:
            causes.append(required(f"{at}.name"))
        else:
            why = dns_label(name)
            if why:
                causes.append(invalid(f"{at}.name", name, why))
            if name in names:
                causes.append(duplicate(f"{at}.name", name))
            names.add(name)
        causes += _validate_source(volume, at)
    return causes


def _validate_source(volume: Mapping[str, Any], at: str) -> list[Cause]:
    kinds = [field for field, value in volume.items() if field != "name" and value is not None]
    if not kinds:
        return [required(at, "must specify a volume type")]
    causes = [
        forbidden(f"{at}.{kind}", "may not specify more than 1 volume type") for kind in kinds[1:]
    ]
    kind = kinds[0]
    source, where = volume[kind], f"{at}.{kind}"
    causes += [
        required(f"{where}.{field}") for field in _REQUIRED.get(kind, ()) if not source.get(field)
    ]
    causes += _validate_mode(source, "defaultMode", where)
    if kind in ("configMap", "secret", "downwardAPI"):
        causes += _validate_items(source, where)
    elif kind == "hostPath":
        causes += _validate_host_path(source, where)
    elif kind == "projected":
        causes += _validate_projected(source, where)
    return causes


def _validate_host_path(source: Mapping[str, Any], where: str) -> list[Cause]:
    causes = _validate_no_back_steps(source.get("path", ""), f"{where}.path")
    if source.get("type", "") not in _HOST_PATH_TYPES:
        causes.append(not_supported(f"{where}.type", source["type"], _HOST_PATH_TYPES))
    return causes


def _validate_projected(source: Mapping[str, Any], where: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, projection in enumerate(source.get("sources") or ()):
        at = f"{where}.sources[{index}]"
        kinds = [kind for kind, value in projection.items() if value is not None]
        if not kinds:
            causes.append(required(at, "must specify exactly one volume projection"))
        for kind in kinds[1:]:
            why = "may not specify more than 1 volume type"
            causes.append(forbidden(f"{at}.{kind}", why))
        for kind in kinds[:1]:
            causes += _validate_projection(kind, projection[kind], f"{at}.{kind}")
    return causes


def _validate_projection(kind: str, projection: Mapping[str, Any], at: str) -> list[Cause]:
    if kind == "serviceAccountToken":
        causes: list[Cause] = []
        expiration_s = projection.get("expirationSeconds", MIN_TOKEN_EXPIRATION_S)
        if expiration_s < MIN_TOKEN_EXPIRATION_S:
            why = "may not specify a duration less than 10 minutes"
            causes.append(invalid(f"{at}.expirationSeconds", expiration_s, why))
        if not projection.get("path"):
            causes.append(required(f"{at}.path"))
        return causes
    if kind in ("configMap", "secret", "downwardAPI"):
        causes = _validate_items(projection, at)
        if kind != "downwardAPI" and not projection.get("name"):
            causes.append(required(f"{at}.name"))
        return causes
    return []


def _validate_items(source: Mapping[str, Any], where: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, item in enumerate(source.get("items") or ()):
        at = f"{where}.items[{index}]"
        if "fieldRef" in item:
            path = item["fieldRef"].get("fieldPath", "")
            if path not in ("metadata.labels", "metadata.annotations"):
                causes += validate_field_path(path, f"{at}.fieldRef.fieldPath")
        elif "resourceFieldRef" not in item and not item.get("key"):
            causes.append(required(f"{at}.key"))
        if not item.get("path"):
            causes.append(required(f"{at}.path"))
        else:
            causes += validate_relative(item["path"], f"{at}.path")
        causes += _validate_mode(item, "mode", at)
    return causes


def validate_relative(path: str, at: str) -> list[Cause]:
    """A path below a volume's root, which may not lead out of it."""
    if path.startswith("/"):
        return [invalid(at, path, "must be a relative path")]
    return _validate_no_back_steps(path, at)


def _validate_no_back_steps(path: str, at: str) -> list[Cause]:
    return [invalid(at, path, "must not contain '..'")] if ".." in path.split("/") else []


def _validate_mode(source: Mapping[str, Any], field: str, at: str) -> list[Cause]:
    mode = source.get(field)
    if mode is None or 0 <= mode <= _MAX_MODE:
        return []
    return [invalid(f"{at}.{field}", mode, _MODE)]
