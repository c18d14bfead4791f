"""Versions of CustomResourceDefinitions: what is wrong with them.

A part that is the same in every version (its schema, its subresources, …) counts as one of the
whole definition, and Kubernetes names it so: `spec.validation`, not `spec.versions[0].schema`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pilotfish.apiserver.custom.field_paths import FieldPathError, schema_at
from pilotfish.apiserver.custom.schemas import validate_schema
from pilotfish.apiserver.validation.causes import Cause, duplicate, invalid, required, too_many
from pilotfish.apiserver.validation.formats import dns_1035_label
from pilotfish.objects.meta import Object

_COLUMN_TYPES: Final = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS: Final = (
    *("byte", "date", "date-time", "double", "float", "int32", "int64", "password"),
)
_SELECTABLE: Final = ("string", "boolean", "integer")
_MAX_SELECTABLE: Final = 8
_MAX_WARNING_BYTES: Final = 256
# Each path of the subresource scale, whether there must be one, and where it leads.
_SCALE_PATHS: Final = (
    ("specReplicasPath", True, (".spec.",), "should be a json path under .spec"),
    ("statusReplicasPath", True, (".status.",), "should be a json path under .status"),
    (
        "labelSelectorPath",
        False,
        (".spec.", ".status."),
        "should be a json path under either .spec or .status",
    ),
)


def validate_versions(versions: list[Object]) -> list[Cause]:
    """What is wrong with the versions of a definition."""
    if not versions:
        return [required("spec.versions", "must have at least one version")]
    places = _Places(versions)
    causes: list[Cause] = []
    for index, version in enumerate(versions):
        name = version.get("name", "")
        why = dns_1035_label(name)
        if why:
            causes.append(invalid(f"spec.versions[{index}].name", name, why))
        causes += _validate_version(version, index, places)
    names = [version.get("name", "") for version in versions]
    if len(set(names)) != len(names):
        causes.append(invalid("spec.versions", names, "must contain unique version names"))
    if sum(bool(version.get("storage")) for version in versions) != 1:
        why = "must have exactly one version marked as storage version"
        causes.append(invalid("spec.versions", names, why))
    return causes


class _Places:
    """Where the parts of versions are said to stand."""

    _OF_ALL: Final = {"schema": "validation"}

    def __init__(self, versions: list[Object]) -> None:
        first = versions[0]
        parts = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")
        self._common = {
            part
            for part in parts
            if all(version.get(part) == first.get(part) for version in versions)
        }

    def of(self, part: str, index: int) -> str | None:
        """The path of a version's part; None for one that the first version has as well."""
        if part not in self._common:
            return f"spec.versions[{index}].{part}"
        return f"spec.{self._OF_ALL.get(part, part)}" if index == 0 else None


def _validate_version(version: Object, index: int, places: _Places) -> Iterator[Cause]:
    if "deprecationWarning" in version:
        yield from _validate_warning(version, f"spec.versions[{index}].deprecationWarning")
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    subresources = version.get("subresources") or {}
    if schema is None:
        yield required(f"spec.versions[{index}].schema.openAPIV3Schema")
    elif path := places.of("schema", index):
        has_status = subresources.get("status") is not None
        yield from validate_schema(schema, f"{path}.openAPIV3Schema", has_status=has_status)
    if path := places.of("subresources", index):
        yield from _validate_scale(subresources.get("scale"), f"{path}.scale")
    if path := places.of("additionalPrinterColumns", index):
        for number, column in enumerate(version.get("additionalPrinterColumns") or ()):
            yield from _validate_column(column, f"{path}[{number}]")
    if path := places.of("selectableFields", index):
        yield from _validate_selectable(version.get("selectableFields") or [], schema or {}, path)


def _validate_warning(version: Object, path: str) -> Iterator[Cause]:
    warning = version["deprecationWarning"]
    if not version.get("deprecated"):
        yield invalid(path, warning, "can only be set for deprecated versions")
        return
    if len(warning.encode("utf-8", "surrogatepass")) > _MAX_WARNING_BYTES:
        yield invalid(path, warning, f"must be <= {_MAX_WARNING_BYTES} characters long")
    if not warning:
        yield invalid(path, warning, "must not be an empty string")
    bad = next((index for index, char in enumerate(warning) if not char.isprintable()), None)
    if bad is not None:
        why = (
            "must only contain printable UTF-8 characters; non-printable character found at "
            f"index {bad}"
        )
        yield invalid(path, warning, why)


def _validate_scale(scale: Object | None, path: str) -> Iterator[Cause]:
    if scale is None:
        return
    for name, is_required, starts, why in _SCALE_PATHS:
        text = scale.get(name) or ""
        if not text and is_required:
            yield required(f"{path}.{name}")
        elif text and not text.startswith("."):
            yield from _validate_path(text, f"{path}.{name}")
        elif text and not text.startswith(starts):
            yield invalid(f"{path}.{name}", text, why)


def _validate_column(column: Object, path: str) -> Iterator[Cause]:
    if not column.get("name"):
        yield required(f"{path}.name")
    kind, shown = column.get("type", ""), ",".join(_COLUMN_TYPES)
    if not kind:
        yield required(f"{path}.type", f"must be one of {shown}")
    elif kind not in _COLUMN_TYPES:
        yield invalid(f"{path}.type", kind, f"must be one of {shown}")
    written = column.get("format", "")
    if written and written not in _COLUMN_FORMATS:
        yield invalid(f"{path}.format", written, f"must be one of {','.join(_COLUMN_FORMATS)}")
    text = column.get("jsonPath", "")
    if not text:
        yield required(f"{path}.JSONPath")
    else:
        yield from _validate_path(text, f"{path}.JSONPath")


def _validate_path(text: str, path: str) -> Iterator[Cause]:
    """Check that a path begins with a dot: Kubernetes asks for no more.

    A column whose path cannot be read shows nothing.
    """
    if not text.startswith("."):
        yield invalid(path, text, "must be a simple json path starting with .")


def _validate_selectable(
    fields: list[Object], schema: Mapping[str, Any], path: str
) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, field in enumerate(fields):
        at, text = f"{path}[{index}].jsonPath", field.get("jsonPath", "")
        if not text:
            yield required(at)
            continue
        try:
            found = schema_at(schema, text, takes_brackets=False)
        except FieldPathError as error:
            yield invalid(at, text, f"is an invalid path: {error}")
            continue
        if text.startswith(".metadata.") or text == ".metadata":
            yield invalid(at, text, "must not point to fields in metadata")
        if found.get("type") not in _SELECTABLE:
            why = (
                "must point to a field of type string, boolean or integer. Enum string fields and "
                "strings with formats are allowed."
            )
            yield invalid(at, text, why)
        if text in seen:
            yield duplicate(at, text)
        seen.add(text)
    if len(seen) > _MAX_SELECTABLE:
        yield too_many(path, len(seen), _MAX_SELECTABLE)
