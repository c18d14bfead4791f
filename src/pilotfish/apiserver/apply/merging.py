"""Merging an applied configuration into the live object, by the types of its fields."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.apply.fieldsets import (
    ANY,
    ASSOCIATIVE,
    elements,
    has_granular_items,
    is_granular,
    member,
    segment_of,
    struct_of,
)
from pilotfish.objects.meta import Object
from pilotfish.objects.schema import Field, Type


def merged(live: Object, applied: Object, schema: Type | None) -> Object:
    """The live object with everything set that the configuration says; it may be changed."""
    for name, value in applied.items():
        live[name] = _merged_value(live.get(name), value, member(schema, name))
    return live


def _merged_value(live: Any, applied: Any, field: Field) -> Any:
    if isinstance(applied, dict) and isinstance(live, dict) and is_granular(field):
        if field.type != "map":
            return merged(live, applied, struct_of(field))
        items = field.items or ANY
        for key, value in applied.items():
            live[key] = _merged_value(live.get(key), value, items)
        return live
    if isinstance(applied, list) and isinstance(live, list) and field.list_type in ASSOCIATIVE:
        return _merged_elements(live, applied, field)
    return applied


def _merged_elements(live: list[Any], applied: list[Any], field: Field) -> list[Any]:
    """The elements of both, once each: those applied in their order, the others among them.

    An element of the live list alone stays before its successor there, as far as the applied order
    allows that (structured-merge-diff's typed/merge.go). Duplicates of an element that is applied
    give way to it.
    """
    theirs = [segment_of(item, field) for item in live]
    mine = [segment_of(item, field) for item in applied]
    before = elements(live, field)
    wanted = dict(zip(mine, applied, strict=True))
    in_both = iter([segment for segment in mine if segment in before])
    turn = next(in_both, "")
    result: list[Any] = []
    done: set[str] = set()
    at = 0
    for segment in mine:
        while at < len(theirs) and theirs[at] != segment:
            here = theirs[at]
            if here not in wanted:
                result.append(live[at])
            elif not turn or here == turn:
                # A new element comes before the next that both lists have.
                at += here in done
                break
            at += 1
        else:
            at += 1
        result.append(_merged_element(before.get(segment, []), wanted[segment], field))
        done.add(segment)
        if segment == turn:
            turn = next(in_both, "")
    rest = range(at, len(theirs))
    return result + [live[index] for index in rest if theirs[index] not in wanted]


def _merged_element(before: list[Any], wanted: Any, field: Field) -> Any:
    if len(before) == 1 and has_granular_items(field):
        return merged(before[0], wanted, struct_of(field.items))
    return wanted
