"""The files of configMap, secret, downwardAPI and projected volumes: pure functions.

The objects have been fetched by then (`wanted` tells which); tokens come as files already.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from pilotfish.node.downward import NodeFacts, field_value, resource_value
from pilotfish.node.environment import Reference, Sources, decoded
from pilotfish.node.errors import ContainerConfigError, MountFailed
from pilotfish.node.volumes.atomic import File
from pilotfish.objects.meta import Object, namespace_of

_DEFAULT_MODE = 0o644
_MAX_PATH_BYTES = 2048  # PATH_MAX is 4096, and the volume lies in a folder of the node


def reference_of(source: Object) -> Reference | None:
    """The object that a configMap or secret source (of a volume or projection) names."""
    if ref := source.get("configMap"):
        return Reference("configmap", ref["name"])
    if ref := source.get("secret"):
        return Reference("secret", ref.get("secretName") or ref.get("name", ""))
    return None


def wanted(volume: Object) -> set[Reference]:
    """The ConfigMaps and Secrets that a volume's files come from."""
    sources = (volume.get("projected") or {}).get("sources") or [volume]
    return {reference for source in sources if (reference := reference_of(source))}


def _safe(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/") or not path:
        raise MountFailed(f"the path {path!r} leads outside of the volume")
    if "\0" in path or len(os.fsencode(path)) > _MAX_PATH_BYTES:
        raise MountFailed(
            f"the path {path[:40]!r}... is no path of Linux: a zero byte, or too long"
        )
    return path


def _object_files(
    pod: Object, source: Object, reference: Reference, default_mode: int, sources: Sources
) -> dict[str, File]:
    settings = source.get("configMap") or source.get("secret") or {}
    obj = sources.get(reference)
    optional = bool(settings.get("optional"))
    if obj is None:
        if optional:
            return {}
        raise MountFailed(f'{reference.kind} "{reference.name}" not found')
    values = decoded(reference, obj)
    items = settings.get("items")
    if not items:
        return {_safe(key): File(value, default_mode) for key, value in values.items()}
    files = {}
    for item in items:
        if item["key"] not in values:
            if optional:
                continue
            where = f"{namespace_of(pod)}/{reference.name}"
            raise MountFailed(
                f"references non-existent {reference.kind} key: {item['key']} ({where})"
            )
        mode = item.get("mode", default_mode)
        files[_safe(item["path"])] = File(values[item["key"]], mode)
    return files


def _downward_files(
    pod: Object, items: list[Object], default_mode: int, facts: NodeFacts
) -> dict[str, File]:
    files = {}
    for item in items:
        try:
            if ref := item.get("fieldRef"):
                text = field_value(pod, ref["fieldPath"], facts)
            else:
                ref = item.get("resourceFieldRef") or {}
                text = resource_value(pod, "", ref, facts)
        except ContainerConfigError as error:
            raise MountFailed(str(error)) from error
        files[_safe(item["path"])] = File(text.encode(), item.get("mode", default_mode))
    return files


def volume_files(
    pod: Object,
    volume: Object,
    sources: Sources,
    tokens: Mapping[str, str],
    facts: NodeFacts,
) -> dict[str, File]:
    """Every file of the volume by its relative path. `tokens`: by the path that shall hold them.

    Raises MountFailed with the kubelet's words.
    """
    if projected := volume.get("projected"):
        parts, settings = projected.get("sources") or [], projected
    else:
        parts = [volume]
        settings = next(
            (volume[kind] for kind in ("configMap", "secret", "downwardAPI") if kind in volume), {}
        )
    mode = settings.get("defaultMode", _DEFAULT_MODE)
    files: dict[str, File] = {}
    for part in parts:
        reference = reference_of(part)
        if reference is not None:
            files.update(_object_files(pod, part, reference, mode, sources))
        elif downward := part.get("downwardAPI"):
            files.update(_downward_files(pod, downward.get("items") or [], mode, facts))
        elif token := part.get("serviceAccountToken"):
            files[_safe(token["path"])] = File(tokens[token["path"]].encode(), mode)
        else:
            kinds = ", ".join(part)
            raise MountFailed(f"projection of {kinds} is not supported")
    return files
