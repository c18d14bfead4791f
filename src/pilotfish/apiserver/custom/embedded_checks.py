"""Validation of embedded resources: their types and their metadata.

Source: k8s.io/apiextensions-apiserver, pkg/apiserver/schema/objectmeta/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pilotfish.apiserver.custom.embedding import embedded_in
from pilotfish.apiserver.validation.causes import Cause, invalid, required
from pilotfish.apiserver.validation.formats import dns_1035_label
from pilotfish.apiserver.validation.metadata import validate_embedded_metadata
from pilotfish.objects.meta import Object


def validate_embedded(value: Any, schema: Mapping[str, Any], path: str = "") -> list[Cause]:
    """What is wrong with the resources that a value embeds.

    Args:
        path: of the value; "" for a whole object.
    """
    return [cause for at, each in embedded_in(value, schema, path) for cause in _validate(each, at)]


def _validate(obj: Object, path: str) -> Iterator[Cause]:
    for name in ("apiVersion", "kind"):
        at, value = f"{path}.{name}", obj.get(name)
        if name not in obj:
            yield required(at)
        elif not isinstance(value, str):
            yield invalid(at, value, "must be a string")
        elif not value:
            yield invalid(at, value, "must not be empty")
        elif name == "apiVersion" and value.count("/") > 1:
            yield invalid(at, value, f"unexpected GroupVersion string: {value}")
        elif name == "kind" and dns_1035_label(value.lower()):
            why = "may have mixed case, but should otherwise match: "
            yield invalid(at, value, f"{why}{dns_1035_label(value.lower())}")
    if "metadata" in obj:
        yield from _validate_metadata(obj["metadata"], f"{path}.metadata")


def _validate_metadata(metadata: Any, path: str) -> list[Cause]:
    # Decoding checks the form in objects; defaults of schemas are not decoded.
    if not _has_form(metadata):
        return [invalid(path, metadata, "must be the metadata of an object")]
    return validate_embedded_metadata(metadata, path)


def _has_form(metadata: Any) -> bool:
    if not isinstance(metadata, dict):
        return False
    texts = [metadata.get(name, "") for name in ("generateName", "name", "namespace")]
    for name in ("annotations", "labels"):
        entries = metadata.get(name) or {}
        if not isinstance(entries, dict):
            return False
        texts += entries.values()
    finalizers, owners = metadata.get("finalizers") or [], metadata.get("ownerReferences") or []
    if not (isinstance(finalizers, list) and isinstance(owners, list)):
        return False
    for owner in owners:
        if not isinstance(owner, dict):
            return False
        texts += [value for value in owner.values() if not isinstance(value, bool)]
    return all(isinstance(text, str) for text in texts + finalizers)
