"""CustomResourceDefinitions: their defaults, and which names they get."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pilotfish.objects.conditions import condition, set_condition
from pilotfish.objects.meta import Object

FINALIZER: Final = "customresourcecleanup.apiextensions.k8s.io"


def apply_defaults(definition: Object) -> None:
    """Fill in what a definition leaves out, in place."""
    spec = definition.setdefault("spec", {})
    names = spec.setdefault("names", {})
    kind = names.get("kind", "")
    if kind:
        names.setdefault("singular", kind.lower())
        names.setdefault("listKind", f"{kind}List")
    spec.setdefault("conversion", {"strategy": "None"})


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
