"""Managers: what metadata.managedFields says about who owns which fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from pilotfish.apiserver.apply.fieldsets import (
    Paths,
    fields_of,
    from_fields_v1,
    to_fields_v1,
)
from pilotfish.objects.meta import Object
from pilotfish.objects.schema import Type
from pilotfish.objects.times import now

# Who wrote an object before anybody applied it, as in kube-apiserver.
_BEFORE_FIRST_APPLY: Final = "before-first-apply"


@dataclass
class Manager:
    """One entry of managedFields.

    Attributes:
        name: of the manager.
        operation: `Apply` or `Update`.
        api_version: in which it wrote.
        subresource: through which it wrote; "" for the object itself.
        time: of its last change.
        paths: what it owns.
    """

    name: str
    operation: str
    api_version: str
    subresource: str = ""
    time: str = ""
    paths: Paths = field(default_factory=set)

    def is_same(self, other: Manager) -> bool:
        """Whether the entries are one manager's."""
        return (self.name, self.operation, self.api_version, self.subresource) == (
            other.name,
            other.operation,
            other.api_version,
            other.subresource,
        )


def read_managers(obj: Object) -> list[Manager]:
    """The managers of an object."""
    return [
        Manager(
            name=entry.get("manager", ""),
            operation=entry.get("operation", ""),
            api_version=entry.get("apiVersion", ""),
            subresource=entry.get("subresource", ""),
            time=entry.get("time", ""),
            paths=from_fields_v1(entry.get("fieldsV1") or {}),
        )
        for entry in obj["metadata"].get("managedFields") or ()
    ]


def write_managers(obj: Object, managers: list[Manager]) -> None:
    """Set managedFields; managers that own nothing any more are left out."""
    entries = []
    for manager in managers:
        if not manager.paths:
            continue
        entry: Object = {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": manager.api_version,
            "time": manager.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": to_fields_v1(manager.paths),
        }
        if manager.subresource:
            entry["subresource"] = manager.subresource
        entries.append(entry)
    obj["metadata"]["managedFields"] = entries


def managers_before_apply(obj: Object, schema: Type | None) -> list[Manager]:
    """The managers of an object that is about to be applied to.

    What was written while nobody kept account belongs to one manager of that name.
    """
    managers = read_managers(obj)
    if managers or "managedFields" in obj["metadata"]:
        return managers
    return [
        Manager(
            _BEFORE_FIRST_APPLY,
            "Update",
            obj["apiVersion"],
            time=obj["metadata"].get("creationTimestamp", now()),
            paths=fields_of(obj, schema),
        )
    ]
