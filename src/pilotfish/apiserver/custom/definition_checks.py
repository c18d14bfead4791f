"""CustomResourceDefinitions: what is wrong with one, beside its metadata, and with a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pilotfish.apiserver.custom.resource import is_established
from pilotfish.apiserver.custom.versions import validate_versions
from pilotfish.apiserver.validation.causes import (
    Cause,
    forbidden,
    immutable,
    invalid,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.formats import dns_1035_label, dns_subdomain
from pilotfish.cel.request_uri import request_uri
from pilotfish.objects.meta import Object, annotations_of, name_of
from pilotfish.objects.resources import RESOURCES

_BUILT_IN_GROUPS: Final = {resource.group for resource in RESOURCES if resource.group}
_SCOPES: Final = ("Cluster", "Namespaced")
# Kubernetes' community keeps the groups below these for APIs that it approved (KEP-1111).
_PROTECTED: Final = ("k8s.io", "kubernetes.io")
_APPROVAL: Final = "api-approved.kubernetes.io"
_SEE: Final = "see https://github.com/kubernetes/enhancements/pull/1111"


def validate(definition: Object) -> list[Cause]:
    """What is wrong with a definition, beside its metadata."""
    spec = definition.get("spec") or {}
    names = spec.get("names") or {}
    group = spec.get("group", "")
    causes = list(_validate_group(group))
    wanted = f"{names.get('plural', '')}.{group}"
    if name_of(definition) != wanted:
        why = 'must be spec.names.plural+"."+spec.group'
        causes.append(invalid("metadata.name", name_of(definition), why))
    scope = spec.get("scope", "")
    if not scope:
        causes.append(required("spec.scope"))
    elif scope not in _SCOPES:
        causes.append(not_supported("spec.scope", scope, _SCOPES))
    causes += _validate_names(names)
    causes += _validate_conversion(spec.get("conversion") or {})
    if spec.get("preserveUnknownFields"):
        why = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
            "spec.versions[*].schema instead"
        )
        causes.append(invalid("spec.preserveUnknownFields", True, why))
    return causes + validate_versions(spec.get("versions") or [])


def validate_update(new: Object, old: Object) -> list[Cause]:
    """Check that an update leaves alone what stays for the life of a definition."""
    after, before = new.get("spec") or {}, old.get("spec") or {}
    fixed = [("group",), ("names", "plural")]
    if is_established(old):
        fixed += [("scope",), ("names", "kind")]
    causes = [
        immutable(f"spec.{'.'.join(path)}", _at(after, path))
        for path in fixed
        if _at(after, path) != _at(before, path)
    ]
    stored = (old.get("status") or {}).get("storedVersions") or ()
    names = [version.get("name") for version in after.get("versions") or ()]
    for index, version in enumerate(stored):
        if version not in names:
            why = (
                f"missing from spec.versions; {version} was previously a storage version, and "
                "must remain in spec.versions until a storage migration ensures no data remains "
                f"persisted in {version} and removes {version} from status.storedVersions"
            )
            causes.append(invalid(f"status.storedVersions[{index}]", version, why))
    return causes


def _at(spec: Object, path: tuple[str, ...]) -> Any:
    value: Any = spec
    for name in path:
        value = (value or {}).get(name)
    return value


def validate_approval(definition: Object, old: Object | None = None) -> list[Cause]:
    """Check that a definition in a group of Kubernetes' own says who approved it.

    Args:
        old: what it was before an update; an unchanged approval is not checked.
    """
    group = (definition.get("spec") or {}).get("group", "")
    if not any(group == each or group.endswith(f".{each}") for each in _PROTECTED):
        return []
    told = annotations_of(definition).get(_APPROVAL, "")
    if old is not None and annotations_of(old).get(_APPROVAL, "") == told:
        return []
    path = f"metadata.annotations[{_APPROVAL}]"
    must = f'protected groups must have approval annotation "{_APPROVAL}"'
    if not told:
        return [required(path, f"{must}, {_SEE}")]
    if told.startswith("unapproved") or _is_url(told):
        return []
    why = f'{must} with either a URL or a reason starting with "unapproved", {_SEE}'
    return [invalid(path, told, why)]


def _is_url(text: str) -> bool:
    try:
        parts = request_uri(text)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)


def _validate_group(group: str) -> Iterator[Cause]:
    if group in _BUILT_IN_GROUPS:
        yield invalid("spec.group", group, "is a group of the API server's own")
    elif not group:
        yield required("spec.group")
    elif dns_subdomain(group):
        yield invalid("spec.group", group, dns_subdomain(group))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")


def _validate_names(names: Mapping[str, Any]) -> Iterator[Cause]:
    for field in ("plural", "singular", "kind", "listKind"):
        value = names.get(field, "")
        why = dns_1035_label(value.lower() if field in ("kind", "listKind") else value)
        if not value:
            yield required(f"spec.names.{field}")
        elif why and field in ("kind", "listKind"):
            words = f"may have mixed case, but should otherwise match: {why}"
            yield invalid(f"spec.names.{field}", value, words)
        elif why:
            yield invalid(f"spec.names.{field}", value, why)
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        why = "kind and listKind may not be the same"
        yield invalid("spec.names.listKind", names["listKind"], why)
    for field in ("shortNames", "categories"):
        for index, value in enumerate(names.get(field) or ()):
            why = dns_1035_label(value)
            if why:
                yield invalid(f"spec.names.{field}[{index}]", value, why)


def _validate_conversion(conversion: Object) -> Iterator[Cause]:
    strategy = conversion.get("strategy", "")
    if not strategy:
        yield required("spec.conversion.strategy")
    elif strategy != "None":
        # Webhooks would have to be called at each read of another version.
        yield not_supported("spec.conversion.strategy", strategy, ("None",))
    elif conversion.get("webhook") is not None:
        why = "should not be set when strategy is not set to Webhook"
        yield forbidden("spec.conversion.webhook", why)
