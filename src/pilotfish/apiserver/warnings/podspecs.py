"""Warnings about Pods and their templates (Kubernetes' pkg/api/pod/warnings.go)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from pilotfish.apiserver.warnings.containers import container_warnings, port_warnings
from pilotfish.apiserver.warnings.node_labels import expression_warnings, renamed
from pilotfish.apiserver.warnings.storage import claim_spec_warnings, removed_warnings
from pilotfish.objects.meta import Object

_ANNOTATIONS: Final = {
    "scheduler.alpha.kubernetes.io/critical-pod": ("v1.16", "priorityClassName"),
    "security.alpha.kubernetes.io/sysctls": ("v1.11", "sysctls"),
    "security.alpha.kubernetes.io/unsafe-sysctls": ("v1.11", "sysctls"),
}
_GIT: Final = "deprecated in v1.11, and disabled by default in v1.33+"
_SECCOMP: Final = "seccomp.security.alpha.kubernetes.io/pod"
_MUST: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_SHOULD: Final = "preferredDuringSchedulingIgnoredDuringExecution"


def pod_warnings(pod: Object, path: str) -> Iterator[str]:
    """Warn about a Pod, or about a template at a path of its object."""
    prefix = f"{path}." if path else ""
    spec: dict[str, Any] = pod.get("spec") or {}
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    at, notes = f"{prefix}spec", f"{prefix}metadata.annotations"
    return chain(
        _label_warnings(spec, at),
        _spread_warnings(spec, at),
        _annotation_warnings(annotations, spec, notes),
        _volume_warnings(spec, at),
        _duplicates(spec.get("hostAliases") or (), "ip", f"{at}.hostAliases"),
        _secret_warnings(spec, at),
        container_warnings(spec, at, annotations, notes),
        port_warnings(spec, at),
        _grace_warnings(spec, at),
        _affinity_warnings(spec, at),
    )


def _label_warnings(spec: dict[str, Any], at: str) -> Iterator[str]:
    for label in spec.get("nodeSelector") or ():
        if why := renamed(label):
            yield f"{at}.nodeSelector[{label}]: {why}"
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    where = f"{at}.affinity.nodeAffinity"
    terms = [
        (term, f"{where}.{_MUST}.nodeSelectorTerms[{index}]")
        for index, term in enumerate((affinity.get(_MUST) or {}).get("nodeSelectorTerms") or ())
    ]
    terms += [
        (choice.get("preference") or {}, f"{where}.{_SHOULD}[{index}].preference")
        for index, choice in enumerate(affinity.get(_SHOULD) or ())
    ]
    for term, place in terms:
        yield from expression_warnings(term, place)


def _spread_warnings(spec: dict[str, Any], at: str) -> Iterator[str]:
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        place = f"{at}.topologySpreadConstraints[{index}]"
        key = constraint.get("topologyKey", "")
        if why := renamed(key):
            yield f"{place}.topologyKey: {key} is {why}"
        if constraint.get("labelSelector") is None:
            yield f"{place}.labelSelector: a null labelSelector results in matching no pod"


def _annotation_warnings(
    annotations: dict[str, str], spec: dict[str, Any], notes: str
) -> Iterator[str]:
    for name, (since, field) in _ANNOTATIONS.items():
        if name in annotations:
            yield f'{notes}[{name}]: non-functional in {since}+; use the "{field}" field instead'
    profile = (spec.get("securityContext") or {}).get("seccompProfile")
    if profile is None and _SECCOMP in annotations:
        yield (
            f'{notes}[{_SECCOMP}]: non-functional in v1.27+; use the "seccompProfile" field instead'
        )


def _volume_warnings(spec: dict[str, Any], at: str) -> Iterator[str]:
    for index, volume in enumerate(spec.get("volumes") or ()):
        yield from removed_warnings(volume, f"{at}.volumes[{index}]")
        if volume.get("gitRepo") is not None:
            yield f"{at}.volumes[{index}].gitRepo: {_GIT}"
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}
        place = f"{at}.volumes[{index}].ephemeral.volumeClaimTemplate.spec"
        yield from claim_spec_warnings(template.get("spec") or {}, place)


def _duplicates(items: Any, field: str, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        value = item.get(field, "")
        if value in seen:
            yield f'{at}[{index}].{field}: duplicate {field} "{value}"'
        seen.add(value)


def _secret_warnings(spec: dict[str, Any], at: str) -> Iterator[str]:
    secrets = spec.get("imagePullSecrets") or ()
    yield from _duplicates(secrets, "name", f"{at}.imagePullSecrets")
    for index, secret in enumerate(secrets):
        if not secret.get("name"):
            yield f'{at}.imagePullSecrets[{index}].name: invalid empty name ""'


def _grace_warnings(spec: dict[str, Any], at: str) -> Iterator[str]:
    grace_s = spec.get("terminationGracePeriodSeconds")
    if grace_s is not None and grace_s < 0:
        yield (
            f"{at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and "
            "will be treated as 1"
        )


def _affinity_warnings(spec: dict[str, Any], at: str) -> Iterator[str]:
    for name in ("podAffinity", "podAntiAffinity"):
        affinity = (spec.get("affinity") or {}).get(name) or {}
        terms = [
            (term, f"{_MUST}[{index}]") for index, term in enumerate(affinity.get(_MUST) or ())
        ]
        terms += [
            (choice.get("podAffinityTerm") or {}, f"{_SHOULD}[{index}].podAffinityTerm")
            for index, choice in enumerate(affinity.get(_SHOULD) or ())
        ]
        for term, place in terms:
            if term.get("labelSelector") is None:
                why = "a null labelSelector results in matching no pod"
                yield f"{at}.affinity.{name}.{place}.labelSelector: {why}"
