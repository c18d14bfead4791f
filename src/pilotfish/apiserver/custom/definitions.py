"""CustomResourceDefinitions: their defaults, what is wrong with them, which names they get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pilotfish.apiserver.custom.jsonpath import JsonPathError, values_at
from pilotfish.apiserver.custom.ruled import has_rules
from pilotfish.apiserver.custom.schemas import validate_schema
from pilotfish.apiserver.validation.causes import (
    Cause,
    duplicate,
    immutable,
    invalid,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.formats import dns_1035_label, dns_label, dns_subdomain
from pilotfish.objects.conditions import condition, set_condition
from pilotfish.objects.meta import Object, name_of
from pilotfish.objects.resources import RESOURCES

FINALIZER: Final = "customresourcecleanup.apiextensions.k8s.io"
_BUILT_IN_GROUPS: Final = {resource.group for resource in RESOURCES if resource.group}
_COLUMN_TYPES: Final = ("boolean", "date", "integer", "number", "string")
_SCALE_PATHS: Final = {"specReplicasPath": ".spec.", "statusReplicasPath": ".status."}


def apply_defaults(definition: Object) -> None:
    """Fill in what a definition leaves out, in place."""
    spec = definition.setdefault("spec", {})
    names = spec.setdefault("names", {})
    kind = names.get("kind", "")
    if kind:
        names.setdefault("singular", kind.lower())
        names.setdefault("listKind", f"{kind}List")
    spec.setdefault("conversion", {"strategy": "None"})


def validate(definition: Object) -> list[Cause]:
    """What is wrong with a definition, beside its metadata."""
    spec = definition.get("spec") or {}
    names = spec.get("names") or {}
    group = spec.get("group", "")
    causes: list[Cause] = []
    if group in _BUILT_IN_GROUPS:
        why = "is a group of the API server's own"
        causes.append(invalid("spec.group", group, why))
    elif not group:
        causes.append(required("spec.group"))
    elif dns_subdomain(group):
        causes.append(invalid("spec.group", group, dns_subdomain(group)))
    elif "." not in group:
        why = "should be a domain with at least one dot"
        causes.append(invalid("spec.group", group, why))
    wanted = f"{names.get('plural', '')}.{group}"
    if name_of(definition) != wanted:
        why = 'must be spec.names.plural+"."+spec.group'
        causes.append(invalid("metadata.name", name_of(definition), why))
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        scope = spec.get("scope", "")
        causes.append(not_supported("spec.scope", scope, ("Cluster", "Namespaced")))
    causes += _validate_names(names)
    strategy = (spec.get("conversion") or {}).get("strategy")
    if strategy != "None":
        # Webhooks would have to be called at each read of another version.
        causes.append(not_supported("spec.conversion.strategy", strategy, ("None",)))
    if spec.get("preserveUnknownFields"):
        why = "must be false in order to use defaults in the schema"
        causes.append(invalid("spec.preserveUnknownFields", True, why))
    return causes + _validate_versions(spec.get("versions") or [])


def validate_update(new: Object, old: Object) -> list[Cause]:
    """What an update changed that stays for the life of a definition."""
    after, before = new.get("spec") or {}, old.get("spec") or {}
    causes = [
        immutable(f"spec.{field}", after.get(field))
        for field in ("group", "scope")
        if after.get(field) != before.get(field)
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


def _validate_names(names: Mapping[str, Any]) -> list[Cause]:
    causes: list[Cause] = []
    for field in ("plural", "singular", "kind", "listKind"):
        value = names.get(field, "")
        why = dns_1035_label(value.lower()) if value else ""
        if not value:
            causes.append(required(f"spec.names.{field}"))
        elif why:
            causes.append(invalid(f"spec.names.{field}", value, why))
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        why = "kind and listKind may not be the same"
        causes.append(invalid("spec.names.listKind", names["listKind"], why))
    for field in ("shortNames", "categories"):
        for index, value in enumerate(names.get(field) or ()):
            why = dns_1035_label(value)
            if why:
                causes.append(invalid(f"spec.names.{field}[{index}]", value, why))
    return causes


def _validate_versions(versions: list[Object]) -> list[Cause]:
    if not versions:
        return [required("spec.versions", "must have at least one version")]
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        name = version.get("name", "")
        why = dns_label(name)
        if why:
            causes.append(invalid(f"{path}.name", name, why))
        if name in seen:
            causes.append(duplicate(f"{path}.name", name))
        seen.add(name)
        causes += _validate_version(version, path)
    if sum(bool(version.get("storage")) for version in versions) != 1:
        why = "must have exactly one version marked as storage version"
        causes.append(invalid("spec.versions", versions, why))
    return causes


def _validate_version(version: Object, path: str) -> list[Cause]:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    if schema is None:
        return [required(f"{path}.schema.openAPIV3Schema", "schemas are required")]
    causes = validate_schema(schema, f"{path}.schema.openAPIV3Schema")
    if not causes and has_rules(schema):
        from pilotfish.apiserver.custom.rules.compiling import validate_rules

        causes += validate_rules(schema, f"{path}.schema.openAPIV3Schema")
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        at = f"{path}.additionalPrinterColumns[{index}]"
        if column.get("type") not in _COLUMN_TYPES:
            causes.append(not_supported(f"{at}.type", column.get("type", ""), _COLUMN_TYPES))
        causes += _validate_path(column.get("jsonPath", ""), f"{at}.jsonPath")
    for index, field in enumerate(version.get("selectableFields") or ()):
        at = f"{path}.selectableFields[{index}].jsonPath"
        causes += _validate_path(field.get("jsonPath", ""), at)
    scale = (version.get("subresources") or {}).get("scale")
    if scale is not None:
        for field_name, start in _SCALE_PATHS.items():
            at = f"{path}.subresources.scale.{field_name}"
            text = scale.get(field_name, "")
            if not text:
                causes.append(required(at))
            elif not text.startswith(start):
                why = f"should be a json path under {start.rstrip('.')}"
                causes.append(invalid(at, text, why))
    return causes


def _validate_path(text: str, path: str) -> list[Cause]:
    if not text:
        return [required(path)]
    try:
        values_at({}, text)
    except JsonPathError as error:
        return [invalid(path, text, f"is an invalid JSON path: {error}")]
    return []


def settle(definition: Object, others: Iterable[Object]) -> None:
    """Set the status of a definition, in place: its names, if free, and that it is served.

    Args:
        others: the other definitions of the group; what they were given is taken.
    """
    spec = definition["spec"]
    status = definition.setdefault("status", {})
    conditions = [dict(entry) for entry in status.get("conditions") or ()]
    accepted, problem = _accepted(spec["names"], status.get("acceptedNames") or {}, others)
    if problem:
        set_condition(conditions, "NamesAccepted", "False", *problem)
    else:
        set_condition(conditions, "NamesAccepted", "True", "NoConflicts", "no conflicts found")
    if not problem:
        message = "the initial names have been accepted"
        set_condition(conditions, "Established", "True", "InitialNamesAccepted", message)
    elif not any(each["type"] == "Established" for each in conditions):
        message = "not all names are accepted"
        set_condition(conditions, "Established", "False", "NotAccepted", message)
    stored = list(status.get("storedVersions") or ())
    storage = next(each["name"] for each in spec["versions"] if each.get("storage"))
    if storage not in stored:
        stored.append(storage)
    status.update(conditions=conditions, acceptedNames=accepted, storedVersions=stored)


def is_named(definition: Object) -> bool:
    """Whether a definition was given all the names that it asks for."""
    found = condition(definition, "NamesAccepted")
    return found is not None and found["status"] == "True"


def _accepted(
    names: Object, before: Object, others: Iterable[Object]
) -> tuple[Object, tuple[str, str] | None]:
    """The names that a definition gets, and why it does not get all that it asks for."""
    taken, kinds = _taken(others)
    accepted: Object = {"kind": before.get("kind", ""), "plural": before.get("plural", "")}
    problem: tuple[str, str] | None = None
    for field in ("plural", "singular", "kind", "listKind"):
        name = names.get(field, "")
        if name in (kinds if field in ("kind", "listKind") else taken):
            reason = f"{field[0].upper()}{field[1:]}Conflict"
            problem = problem or (reason, f'"{name}" is already in use')
            if before.get(field):
                accepted[field] = before[field]
        elif name:
            accepted[field] = name
    busy = [name for name in names.get("shortNames") or () if name in taken]
    if busy:
        listed = ", ".join(f'"{name}"' for name in busy)
        problem = problem or ("ShortNamesConflict", f"{listed} is already in use")
    elif names.get("shortNames"):
        accepted["shortNames"] = names["shortNames"]
    if names.get("categories"):
        accepted["categories"] = names["categories"]
    return accepted, problem


def _taken(others: Iterable[Object]) -> tuple[set[str], set[str]]:
    """Resource names and kinds that other definitions of the group were given."""
    taken: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        names = (other.get("status") or {}).get("acceptedNames") or {}
        taken |= {names.get("plural", ""), names.get("singular", "")}
        taken |= set(names.get("shortNames") or ())
        kinds |= {names.get("kind", ""), names.get("listKind", "")}
    return taken - {""}, kinds - {""}
