"""Checking: whether each element of an applied configuration's lists has a name of its own.

Elements of lists are owned by their keys or values, so each must have one, and none twice
(structured-merge-diff's typed/validate.go; the words are its).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from pilotfish.apiserver.apply.fieldsets import (
    ANY,
    ASSOCIATIVE,
    Path,
    key_of,
    member,
    segment_of,
    shown,
    struct_of,
    whole,
)
from pilotfish.apiserver.errors import StatusError
from pilotfish.objects.meta import Object, name_of, namespace_of
from pilotfish.objects.schema import Field, Type


def check_elements(applied: Object, schema: Type | None) -> None:
    """Check that the lists of a configuration can be merged.

    Raises:
        StatusError: 500, as kube-apiserver has it, for elements without a key and for duplicates.
    """
    problems = list(_problems(applied, whole(schema), ()))
    if problems:
        raise untyped(applied, problems)


def untyped(applied: Object, problems: list[str]) -> StatusError:
    """500, as kube-apiserver has it, for a configuration that the schema cannot place."""
    text = problems[0] if len(problems) == 1 else "\n  ".join(["errors:", *problems])
    group, _, version = applied["apiVersion"].rpartition("/")
    which = f"{namespace_of(applied)}/{name_of(applied)}; {group}/{version}, Kind={applied['kind']}"
    message = f"failed to create typed patch object ({which}): {text}"
    return StatusError(500, "", message)


def _problems(value: Any, field: Field, path: Path) -> Iterator[str]:
    if isinstance(value, dict):
        struct = struct_of(field)
        for name, item in value.items():
            below = field.items or ANY if struct is None else member(struct, name)
            yield from _problems(item, below, (*path, f"f:{name}"))
    elif isinstance(value, list):
        yield from _list_problems(value, field, path)


def _list_problems(items: list[Any], field: Field, path: Path) -> Iterator[str]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        segment = f"i:{index}"
        if field.list_type in ASSOCIATIVE:
            why = _why_nameless(item, field)
            if why:
                yield f"{shown(path)}: element {index}: {why}"
                continue
            segment = segment_of(item, field)
            if segment in seen:
                yield f"{shown(path)}: duplicate entries for key {shown((segment,))}"
                continue
            seen.add(segment)
        yield from _problems(item, field.items or ANY, (*path, segment))


def _why_nameless(item: Any, field: Field) -> str:
    """Why an element cannot be told from the others; "" if it can."""
    if field.list_type == "set":
        if isinstance(item, dict):
            return "associative list without keys has an element that's a map type"
        if isinstance(item, list):
            return "not supported: associative list with lists as elements"
        if item is None:
            return "associative list without keys has an element that's an explicit null"
        return ""
    if item is None:
        return "associative list with keys may not have a null element"
    if not isinstance(item, dict):
        return "associative list with keys may not have non-map elements"
    if key_of(item, field):
        return ""
    listed = " ".join(orjson.dumps(name).decode() for name in field.map_keys)
    return (
        f"associative list with keys has an element that omits all key fields [{listed}] "
        "(and doesn't have default values for any key fields)"
    )
