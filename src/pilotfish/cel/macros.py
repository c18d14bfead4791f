"""Macros: `has()`, and the loops over lists and maps.

https://github.com/google/cel-spec/blob/master/doc/langdef.md#macros
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pilotfish.cel import loops, optionals, syntax
from pilotfish.cel.closures import Typed
from pilotfish.cel.environment import Environment, Scope
from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.types import (
    BOOL,
    DYN,
    INT,
    ORDERED,
    ObjectType,
    Type,
    list_of,
    map_of,
    with_article,
)

if TYPE_CHECKING:
    from pilotfish.cel.compiler import Compiler

MACROS = {
    "all": "whether the condition holds for every item: `list.all(x, x > 0)`",
    "exists": "whether it holds for some item: `list.exists(x, x > 0)`",
    "exists_one": "whether it holds for exactly one item",
    "existsOne": "the same",
    "filter": "the items for which it holds: `list.filter(x, x > 0)`",
    "map": "what is made of each item: `list.map(x, x + 1)`, `list.map(x, x > 0, x + 1)`",
}

OPTIONAL_MACROS = ("optMap", "optFlatMap")

# Loops with two variables: index and item, or key and value
# (https://pkg.go.dev/github.com/google/cel-go/ext#TwoVarComprehensions), each with the numbers
# of its arguments. Those of one variable have their own meaning for other numbers.
TWO_VARIABLE_MACROS: Mapping[str, tuple[int, ...]] = {
    "all": (3,),
    "exists": (3,),
    "exists_one": (3,),
    "existsOne": (3,),
    "transformList": (3, 4),
    "transformMap": (3, 4),
    "transformMapEntry": (3, 4),
}


def is_macro(node: syntax.Call, environment: Environment) -> bool:
    """Whether a call of a method is a macro in this language."""
    name = node.function
    if name in MACROS or name in OPTIONAL_MACROS:
        return True
    return environment.has_extensions and (name in TWO_VARIABLE_MACROS or name == "sortBy")


def names_pairs(node: syntax.Call) -> bool:
    """Whether a macro names two variables: index and item, or key and value."""
    return len(node.arguments) in TWO_VARIABLE_MACROS.get(node.function, ())


def has(compiler: Compiler, node: syntax.Call) -> Typed:
    """Whether a field or a key is there (langdef.md, "Field Selection").

    Raises:
        ExpressionError: there is no such field.
    """
    if len(node.arguments) != 1 or not isinstance(node.arguments[0], syntax.Select):
        raise compiler.error("has() asks for a field, such as has(a.b)", node)
    select = node.arguments[0]
    compiler.compile(select)
    operand = compiler.compile(select.operand)
    name, run = select.field, operand.run
    if isinstance(operand.type, ObjectType):
        present = operand.type.fields[name].present
        return Typed(BOOL, lambda scope: present(run(scope)))
    if optionals.is_optional(operand.type):
        raise compiler.error("an optional is asked by hasValue()", node)

    def has_key(scope: Scope) -> bool:
        value = run(scope)
        if isinstance(value, dict):
            return name in value
        raise EvaluationError("it has no fields")

    return Typed(BOOL, has_key)


def expanded(compiler: Compiler, node: syntax.Call, target: syntax.Node) -> Typed:
    """A loop over a list, or over the keys of a map.

    Raises:
        ExpressionError: it is not sound.
    """
    name, arguments = node.function, node.arguments
    if compiler.environment.has_extensions and names_pairs(node):
        return _over_pairs(compiler, node, target)
    if name in ("transformList", "transformMap", "transformMapEntry"):
        raise compiler.error(f"it is called as ….{name}(index, item, expression)", node)
    if len(arguments) not in ((2, 3) if name == "map" else (2,)):
        raise compiler.error(f"it is called as ….{name}(item, expression with item)", node)
    variable = arguments[0]
    if not isinstance(variable, syntax.Name):
        raise compiler.error("the first argument names the item", variable)
    source = compiler.compile(target)
    if name in OPTIONAL_MACROS:
        return _over_optional(compiler, node, source, variable.name)
    _check_source(compiler, name, source, target)
    if name == "sortBy":
        return _sorted_by(compiler, source, variable.name, arguments[1])
    item = source.type.parameters[0] if source.type.parameters else DYN
    cell: list[Any] = [None]
    return compiler.within(
        {variable.name: (item, cell)}, lambda: _loop(compiler, node, source, item, cell)
    )


def _loop(
    compiler: Compiler, node: syntax.Call, source: Typed, item: Type, cell: list[Any]
) -> Typed:
    items = loops.stepping(source.run, cell, compiler.shared_steps())
    name, arguments = node.function, node.arguments
    if name == "map":
        only = compiler.condition(arguments[1], "the condition") if len(arguments) == 3 else None
        made = compiler.compile(arguments[-1])
        return Typed(list_of(made.type), loops.mapping(items, only, made.run))
    condition = compiler.condition(arguments[1], "the condition")
    if name == "filter":
        return Typed(list_of(item), loops.filtering(items, condition))
    if name in ("exists_one", "existsOne"):
        return Typed(BOOL, loops.exactly_one(items, condition))
    return Typed(BOOL, loops.quantifier(items, condition, name == "exists"))


def _check_source(compiler: Compiler, name: str, source: Typed, target: syntax.Node) -> None:
    if source.type.name not in ("list", "map", "dyn"):
        message = f"{name} goes through a list or a map, not through {with_article(source.type)}"
        raise compiler.error(message, target)


def _over_pairs(compiler: Compiler, node: syntax.Call, target: syntax.Node) -> Typed:
    """A loop over index and item of a list, or over key and value of a map."""
    variables = []
    for each in node.arguments[:2]:
        if not isinstance(each, syntax.Name):
            raise compiler.error("the first two arguments name index and item", each)
        variables.append(each.name)
    if variables[0] == variables[1]:
        raise compiler.error("the two variables have one name", node.arguments[1])
    source = compiler.compile(target)
    _check_source(compiler, node.function, source, target)
    kinds = source.type.parameters
    kinds = (INT, *kinds) if source.type.name == "list" else kinds or (DYN, DYN)
    cells: tuple[list[Any], list[Any]] = ([None], [None])
    names = dict(zip(variables, zip(kinds, cells, strict=True), strict=True))
    return compiler.within(names, lambda: _loop_over_pairs(compiler, node, source, kinds, cells))


def _loop_over_pairs(
    compiler: Compiler,
    node: syntax.Call,
    source: Typed,
    kinds: tuple[Type, ...],
    cells: tuple[list[Any], list[Any]],
) -> Typed:
    items = loops.stepping_pairs(source.run, *cells, compiler.shared_steps())
    name, arguments = node.function, node.arguments[2:]
    if not name.startswith("transform"):
        condition = compiler.condition(arguments[0], "the condition")
        if name in ("exists_one", "existsOne"):
            return Typed(BOOL, loops.exactly_one(items, condition))
        return Typed(BOOL, loops.quantifier(items, condition, name == "exists"))
    only = compiler.condition(arguments[0], "the condition") if len(arguments) == 2 else None
    made = compiler.compile(arguments[-1])
    if name == "transformList":
        return Typed(list_of(made.type), loops.mapping(items, only, made.run))
    if name == "transformMap":
        run = loops.mapping_entries(items, only, made.run, merges=False)
        return Typed(map_of(kinds[0], made.type), run)
    if not isinstance(arguments[-1], syntax.MapOf):
        raise compiler.error("transformMapEntry makes a map, as in {key: value}", arguments[-1])
    return Typed(made.type, loops.mapping_entries(items, only, made.run, merges=True))


def _sorted_by(compiler: Compiler, source: Typed, variable: str, node: syntax.Node) -> Typed:
    """`list.sortBy(item, key)`"""
    if source.type.name == "map":
        raise compiler.error("sortBy is for a list, not for a map", node)
    item = source.type.parameters[0] if source.type.parameters else DYN
    cell: list[Any] = [None]
    items = loops.stepping(source.run, cell, compiler.shared_steps())
    key = compiler.within({variable: (item, cell)}, lambda: compiler.compile(node))
    if key.type not in ORDERED | {DYN}:
        raise compiler.error(f"{with_article(key.type)} has no order", node)
    return Typed(list_of(item), loops.sorting(items, key.run))


def _over_optional(compiler: Compiler, node: syntax.Call, source: Typed, variable: str) -> Typed:
    if not optionals.is_optional(source.type):
        message = f"{node.function} is for an optional, not for {with_article(source.type)}"
        raise compiler.error(message, node)
    cell: list[Any] = [None]
    inner = source.type.parameters[0]
    made = compiler.within({variable: (inner, cell)}, lambda: compiler.compile(node.arguments[1]))
    is_flat = node.function == "optFlatMap"
    if is_flat and not optionals.is_optional(made.type):
        raise compiler.error("optFlatMap makes an optional", node.arguments[1])
    return optionals.mapped(source, cell, made, is_flat)
