"""Selections: namespace, label selector and field selector of a request, as one test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.entries import Entry
from pilotfish.apiserver.errors import bad_request
from pilotfish.apiserver.fields import stored_path
from pilotfish.objects.resources import Resource
from pilotfish.objects.selectors import (
    FieldRequirement,
    LabelSelector,
    SelectorError,
    parse_field_selector,
    parse_label_selector,
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a collection a request is about.

    Attributes:
        namespace: only this one; "" for all.
        key: only this object, where the request names one; the other conditions hold too.
        labels: what labels must meet; None for anything.
        fields: what fields must meet.
        is_filter: whether anything beside the namespace restricts the selection.
    """

    namespace: str = ""
    key: str | None = None
    labels: LabelSelector | None = None
    fields: Sequence[FieldRequirement] = ()
    is_filter: bool = False

    def matches(self, entry: Entry) -> bool:
        """Whether the object is in the selection."""
        key = entry.key
        if self.key is not None and key != self.key:
            return False
        if self.namespace and not key.startswith(self.namespace + "/"):
            return False
        if self.labels is not None and not self.labels.matches(entry.labels):
            return False
        return all(_field_matches(requirement, entry) for requirement in self.fields)


def _field_matches(requirement: FieldRequirement, entry: Entry) -> bool:
    if requirement.path == "metadata.name":
        value = entry.key.rpartition("/")[2]
    elif requirement.path == "metadata.namespace":
        value = entry.key.rpartition("/")[0]
    else:
        return requirement.matches(entry.fields)
    return (value == requirement.value) == (requirement.operator == "=")


def _stored_path(resource: Resource, path: str) -> str | None:
    if isinstance(resource, CustomResource) and path in resource.selectable:
        return path
    return stored_path(resource.full_name, path)


def selection_of(
    resource: Resource,
    namespace: str,
    label_selector: str = "",
    field_selector: str = "",
    name: str = "",
) -> Selection:
    """Read the selection of a request.

    Raises:
        StatusError: 400 for a selector that cannot be read, or a field nobody can ask for.
    """
    try:
        labels = parse_label_selector(label_selector) if label_selector else None
        wanted = parse_field_selector(field_selector) if field_selector else []
    except SelectorError as error:
        raise bad_request(str(error)) from error
    fields: list[FieldRequirement] = []
    for requirement in wanted:
        path = _stored_path(resource, requirement.path)
        if path is None:
            raise bad_request(f"field label not supported: {requirement.path}")
        if path == "metadata.name" and requirement.operator == "=":
            name = name or requirement.value
        fields.append(FieldRequirement(path, requirement.operator, requirement.value))
    key = None
    if name and (namespace or not resource.namespaced):
        key = f"{namespace}/{name}" if resource.namespaced else name
    return Selection(
        namespace=namespace if resource.namespaced else "",
        key=key,
        labels=labels or None,
        fields=tuple(fields),
        is_filter=bool(labels) or bool(fields) or key is not None,
    )
