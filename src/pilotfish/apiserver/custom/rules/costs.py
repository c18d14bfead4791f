"""Costs: how many steps a rule can take at worst, by the sizes that its schema allows.

kube-apiserver refuses definitions whose rules could cost too much ("Resource use by validation
functions" in the documentation of CustomResourceDefinitions). This estimate counts the rounds of
loops alone, and each as the least that it can cost: what is refused here is refused there too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from pilotfish.apiserver.custom.rules.types import Schema, escaped
from pilotfish.cel import syntax
from pilotfish.cel.macros import MACROS, TWO_VARIABLE_MACROS, names_pairs

# What one rule may cost, over all values of an object that it is asked about.
MOST: Final = 10_000_000
_MAX_REQUEST_BYTES: Final = 3 * 1024 * 1024
_LOOPS: Final = MACROS.keys() | TWO_VARIABLE_MACROS.keys() | {"sortBy"}
_TEXT: Final[Schema] = {"type": "string"}
_LEAST_BYTES: Final = {"boolean": 4, "string": 2, "array": 2, "object": 2}


def cardinality(around: tuple[Schema, ...], schema: Schema) -> int:
    """How many values of a schema an object can have.

    Args:
        around: the lists and maps that it lies in.
    """
    total = 1
    for each in around:
        known = each.get("maxItems", each.get("maxProperties"))
        if known is None:
            # All of them together fit into a request.
            return _MAX_REQUEST_BYTES // (_least_bytes(schema) + 1)
        total *= known
    return total


def rounds(node: syntax.Node, schema: Schema) -> int:
    """How many rounds the loops of an expression about a value can make, and one."""
    return 1 + _rounds(node, {"self": schema, "oldSelf": schema})


def excess(cost: int) -> str:
    """Why a rule of that cost is refused; "" if it is not."""
    if cost <= MOST:
        return ""
    factor = cost / MOST
    times = f"{factor:.1f}x" if factor <= 100 else "more than 100x"
    return (
        f"estimated rule cost exceeds budget by factor of {times} (try simplifying the rule, or "
        "adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are "
        "declared)"
    )


def _rounds(node: syntax.Node, scope: Mapping[str, Schema]) -> int:
    is_loop = isinstance(node, syntax.Call) and node.target is not None and node.function in _LOOPS
    if not is_loop:
        return sum(_rounds(child, scope) for child in _children(node))
    assert isinstance(node, syntax.Call) and node.target is not None
    source = _schema_of(node.target, scope)
    inner = dict(scope)
    count = 2 if names_pairs(node) else 1
    variables, body = node.arguments[:count], node.arguments[count:]
    items = (_key_of(source), _value_of(source)) if count == 2 else (_item_of(source),)
    for variable, item in zip(variables, items, strict=False):
        if isinstance(variable, syntax.Name):
            inner.pop(variable.name, None)
            if item is not None:
                inner[variable.name] = item
    once = 1 + sum(_rounds(child, inner) for child in body)
    return _rounds(node.target, scope) + _most_items(source) * once


def _children(node: syntax.Node) -> Iterator[syntax.Node]:
    for each in fields(node):
        yield from _nodes(getattr(node, each.name))


def _nodes(value: Any) -> Iterator[syntax.Node]:
    if isinstance(value, syntax.Node):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _nodes(each)


def _schema_of(node: syntax.Node, scope: Mapping[str, Schema]) -> Schema | None:
    """The schema of what a node names; None where it is worked out."""
    match node:
        case syntax.Name():
            return scope.get(node.name)
        case syntax.Select():
            of = _schema_of(node.operand, scope) or {}
            for name, child in (of.get("properties") or {}).items():
                if escaped(name) == node.field:
                    found: Schema = child
                    return found
            return _mapping(of.get("additionalProperties"))
        case syntax.Index():
            of = _schema_of(node.operand, scope) or {}
            return _mapping(of.get("items") or of.get("additionalProperties"))
    return None


def _item_of(schema: Schema | None) -> Schema | None:
    """What a loop over a value goes through: items, or keys."""
    if schema is None:
        return None
    return _mapping(schema.get("items")) if schema.get("type") == "array" else _TEXT


def _key_of(schema: Schema | None) -> Schema | None:
    """What the first of two variables holds: an index has no parts, a key is a text."""
    return None if schema is None or schema.get("type") == "array" else _TEXT


def _value_of(schema: Schema | None) -> Schema | None:
    """What the second of two variables holds: items, or values."""
    if schema is None:
        return None
    return _mapping(schema.get("items") or schema.get("additionalProperties"))


def _most_items(schema: Schema | None) -> int:
    if schema is None:
        return 1
    if schema.get("type") == "array":
        least = _least_bytes(schema.get("items") or {})
        return int(schema.get("maxItems", (_MAX_REQUEST_BYTES - 2) // (least + 1)))
    values = _mapping(schema.get("additionalProperties"))
    if values is None:
        return 1
    # A key needs its quotes, a colon and a comma.
    estimate = (_MAX_REQUEST_BYTES - 2) // (_least_bytes(values) + 6)
    return int(schema.get("maxProperties", estimate))


def _least_bytes(schema: Schema) -> int:
    """How short the JSON of a value can be."""
    least = _LEAST_BYTES.get(str(schema.get("type")), 1)
    required = set(schema.get("required") or ())
    for name, child in (schema.get("properties") or {}).items():
        if name in required and "default" not in child:
            least += len(name) + 4 + _least_bytes(child)
    return least


def _mapping(value: Any) -> Schema | None:
    return value if isinstance(value, Mapping) else None
