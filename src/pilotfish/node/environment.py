"""A container's environment: what its env and envFrom ask for, resolved.

Two steps keep the thinking pure: `references` names the ConfigMaps and Secrets that are needed,
the caller fetches them, `container_environment` computes the variables.
"""

from __future__ import annotations

import base64
import re
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass

from pilotfish.node.downward import NodeFacts, field_value, resource_value
from pilotfish.node.errors import ContainerConfigError
from pilotfish.node.expansion import MAX_TOTAL_CHARS, expand
from pilotfish.objects.meta import Object

# What Kubernetes 1.34+ accepts: any printable ASCII but "=".
_ENV_NAME = re.compile(r"^[ -<>-~]+$")


@dataclass(frozen=True)
class Reference:
    """A ConfigMap or Secret of the Pod's namespace that a container wants to read."""

    kind: str  # "configmap" or "secret", as the kubelet's messages spell it
    name: str


Sources = Mapping[Reference, Object | None]


def references(container: Object) -> set[Reference]:
    found = set()
    for source in container.get("envFrom") or []:
        if ref := source.get("configMapRef"):
            found.add(Reference("configmap", ref["name"]))
        if ref := source.get("secretRef"):
            found.add(Reference("secret", ref["name"]))
    for variable in container.get("env") or []:
        value_from = variable.get("valueFrom") or {}
        if ref := value_from.get("configMapKeyRef"):
            found.add(Reference("configmap", ref["name"]))
        if ref := value_from.get("secretKeyRef"):
            found.add(Reference("secret", ref["name"]))
    return found


def decoded(reference: Reference, obj: Object) -> dict[str, bytes]:
    """The keys of a ConfigMap (data, binaryData) or Secret (base64 data) as bytes."""
    if reference.kind == "secret":
        return {key: base64.b64decode(value) for key, value in (obj.get("data") or {}).items()}
    values = {key: value.encode() for key, value in (obj.get("data") or {}).items()}
    binary = {key: base64.b64decode(value) for key, value in (obj.get("binaryData") or {}).items()}
    return values | binary


def _object(sources: Sources, reference: Reference, optional: bool) -> Object | None:
    obj = sources.get(reference)
    if obj is None and not optional:
        raise ContainerConfigError(f'{reference.kind} "{reference.name}" not found')
    return obj


def _from_sources(container: Object, sources: Sources) -> dict[str, str]:
    result: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        kind = "configmap" if "configMapRef" in source else "secret"
        ref = source.get("configMapRef") or source.get("secretRef") or {}
        reference = Reference(kind, ref.get("name", ""))
        obj = _object(sources, reference, bool(ref.get("optional")))
        if obj is None:
            continue
        prefix = source.get("prefix", "")
        for key, value in decoded(reference, obj).items():
            if _ENV_NAME.match(prefix + key):
                result[prefix + key] = value.decode(errors="replace")
    return result


def _key_value(pod: Object, ref: Object, kind: str, sources: Sources) -> str | None:
    optional = bool(ref.get("optional"))
    reference = Reference(kind, ref["name"])
    obj = _object(sources, reference, optional)
    if obj is None:
        return None
    value = decoded(reference, obj).get(ref["key"])
    if value is None:
        if optional:
            return None
        where = f"{pod['metadata'].get('namespace', '')}/{ref['name']}"
        names = {"configmap": "ConfigMap", "secret": "Secret"}
        raise ContainerConfigError(f"couldn't find key {ref['key']} in {names[kind]} {where}")
    return value.decode(errors="replace")


def container_environment(
    pod: Object,
    container: Object,
    sources: Sources,
    service_env: Mapping[str, str],
    facts: NodeFacts,
) -> dict[str, str]:
    """Variables in Kubernetes' order of precedence: Services, then envFrom, then env.

    $(VAR) sees the variables before it, and those of Services and envFrom.
    Raises ContainerConfigError with the kubelet's words for what is missing, and for more than a
    program can get.
    """
    result = _from_sources(container, sources)
    known = ChainMap(result, dict(service_env))
    total = 0
    for variable in container.get("env") or []:
        name, value_from = variable["name"], variable.get("valueFrom")
        if not value_from:
            result[name] = expand(variable.get("value", ""), known)
            total += len(result[name])
            if total > MAX_TOTAL_CHARS:
                why = f"env expands to more than {MAX_TOTAL_CHARS} characters"
                raise ContainerConfigError(f"{why}, which no program can get")
            continue
        value: str | None = None
        if ref := value_from.get("fieldRef"):
            value = field_value(pod, ref["fieldPath"], facts)
        elif ref := value_from.get("resourceFieldRef"):
            value = resource_value(pod, container["name"], ref, facts)
        elif ref := value_from.get("configMapKeyRef"):
            value = _key_value(pod, ref, "configmap", sources)
        elif ref := value_from.get("secretKeyRef"):
            value = _key_value(pod, ref, "secret", sources)
        if value is not None:
            result[name] = value
    return {**service_env, **result}
