"""Defaults of Namespaces: the label that selectors of namespaces go by."""

from __future__ import annotations

from pilotfish.objects.meta import Object

NAME_LABEL = "kubernetes.io/metadata.name"


def apply_defaults(obj: Object) -> None:
    metadata = obj.setdefault("metadata", {})
    if metadata.get("name"):
        labels = metadata.get("labels") or {}
        labels[NAME_LABEL] = metadata["name"]
        metadata["labels"] = labels
