"""Macros: `has()`, and the loops over lists and maps.

https://github.com/google/cel-spec/blob/master/doc/langdef.md#macros
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilotfish.cel import closures, optionals, syntax
from pilotfish.cel.closures import Steps, Typed
from pilotfish.cel.environment import Scope
from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.types import BOOL, DYN, ObjectType, Type, list_of, with_article

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
    if len(arguments) not in ((2, 3) if name == "map" else (2,)):
        raise compiler.error(f"it is called as ….{name}(item, expression with item)", node)
    variable = arguments[0]
    if not isinstance(variable, syntax.Name):
        raise compiler.error("the first argument names the item", variable)
    source = compiler.compile(target)
    if name in OPTIONAL_MACROS:
        return _over_optional(compiler, node, source, variable.name)
    if source.type.name not in ("list", "map", "dyn"):
        message = f"{name} goes through a list or a map, not through {with_article(source.type)}"
        raise compiler.error(message, target)
    item = source.type.parameters[0] if source.type.parameters else DYN
    cell: list[Any] = [None]
    return compiler.within(
        {variable.name: (item, cell)}, lambda: _loop(compiler, node, source, item, cell)
    )


def _loop(
    compiler: Compiler, node: syntax.Call, source: Typed, item: Type, cell: list[Any]
) -> Typed:
    compiler.steps = compiler.steps or Steps(compiler.environment.max_steps)
    items = closures.stepping(source.run, cell, compiler.steps)
    name, arguments = node.function, node.arguments
    if name == "map":
        only = compiler.condition(arguments[1], "the condition") if len(arguments) == 3 else None
        made = compiler.compile(arguments[-1])
        return Typed(list_of(made.type), closures.mapping(items, only, made.run))
    condition = compiler.condition(arguments[1], "the condition")
    if name == "filter":
        return Typed(list_of(item), closures.filtering(items, condition))
    if name in ("exists_one", "existsOne"):
        return Typed(BOOL, closures.exactly_one(items, condition))
    return Typed(BOOL, closures.quantifier(items, condition, name == "exists"))


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
