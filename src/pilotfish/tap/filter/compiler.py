"""Syntax tree → a function from entries to values, with every type checked on the way.

Each node becomes a closure, and where the operands' types are known it is the
one for just these types, so that a match costs little more than the look-ups
that it is about. Nothing runs before the whole filter is known to be sound.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from pilotfish.tap.filter import closures, hints, regex, syntax
from pilotfish.tap.filter.closures import Condition, Steps, Typed
from pilotfish.tap.filter.environment import VARIABLES
from pilotfish.tap.filter.errors import EvaluationError, FilterError, nearest
from pilotfish.tap.filter.functions import FUNCTIONS, NEGATIONS, OPERATORS, Function, Overload
from pilotfish.tap.filter.shapes import Entry
from pilotfish.tap.filter.types import (
    BOOL,
    DYN,
    INT,
    LIST,
    NUMBERS,
    STRING,
    TYPE,
    UINT,
    ObjectType,
    Type,
    accepts,
    comparable,
    is_plain,
    joined,
    list_of,
    map_of,
)
from pilotfish.tap.filter.values import TYPE_NAMES, TypeName, equal


class _Variable(NamedTuple):
    """A macro's variable: its type, and where its value is put."""

    type: Type
    cell: list[Any]


class Compiler:
    """Compiles one filter.

    Attributes:
        steps: taken by its loops; to be set anew before each run. None without loops.
    """

    def __init__(self, text: str) -> None:
        self.steps: Steps | None = None
        self._text = text
        self._scope: dict[str, _Variable] = {}

    def compile_filter(self, node: syntax.Node) -> Condition:
        """A filter as a whole: something that is true or false.

        Raises:
            FilterError: it is not sound.
        """
        return self._bool(node, "a filter")

    def compile(self, node: syntax.Node) -> Typed:
        """What a node means.

        Raises:
            FilterError: it means nothing.
        """
        match node:
            case syntax.Literal():
                return self._literal(node)
            case syntax.Name():
                return self._name(node)
            case syntax.Select():
                return self._select(node)
            case syntax.Index():
                return self._index(node)
            case syntax.Call():
                return self._call(node)
            case syntax.Logic():
                return self._logic(node)
            case syntax.Binary(operator="==" | "!="):
                return self._equality(node)
            case syntax.Binary(operator="in"):
                return self._membership(node)
            case syntax.Binary():
                return self._operation(node)
            case syntax.Unary():
                return self._unary(node)
            case syntax.Conditional():
                return self._conditional(node)
            case syntax.ListOf():
                return self._list(node)
            case syntax.MapOf():
                return self._map(node)
        raise TypeError(f"{type(node).__name__} is no node of a filter")

    # --- leaves ----------------------------------------------------------------------------

    def _literal(self, node: syntax.Literal) -> Typed:
        value = node.value
        if node.type == INT and value == 1 << 63:
            raise self._error("the number is too large for int", node)
        return _constant(node.type, value)

    def _name(self, node: syntax.Name) -> Typed:
        name = node.name
        local = self._scope.get(name)
        if local is not None:
            cell = local.cell
            return Typed(local.type, lambda _: cell[0])
        variable = VARIABLES.get(name)
        if variable is not None:
            return Typed(variable.type, variable.get, values=variable.values)
        if name in TYPE_NAMES:
            return _constant(TYPE, TypeName(name))
        if name in FUNCTIONS:
            raise self._error(f"{name} is a function: it needs arguments, {name}(…)", node)
        meant = nearest(name, [*self._scope, *VARIABLES])
        raise self._error(f"there is no {name}", node, meant)

    # --- parts -----------------------------------------------------------------------------

    def _select(self, node: syntax.Select) -> Typed:
        operand = self.compile(node.operand)
        name, run = node.field, operand.run
        if isinstance(operand.type, ObjectType):
            found = operand.type.fields.get(name)
            if found is None:
                meant = nearest(name, operand.type.fields)
                raise self._error(f"{operand.type} has no field {name}", node, meant)
            get = found.get
            return Typed(found.type, lambda entry: get(run(entry)))
        if operand.type.name == "map" and accepts(STRING, operand.type.parameters[0]):
            return Typed(operand.type.parameters[1], closures.look_up(run, lambda _: name))
        if operand.type == DYN:
            return Typed(DYN, closures.look_up(run, lambda _: name))
        raise self._error(f"a {operand.type} has no fields", node)

    def _index(self, node: syntax.Index) -> Typed:
        operand, key = self.compile(node.operand), self.compile(node.key)
        kind = operand.type
        if isinstance(kind, ObjectType):
            if not isinstance(key.constant, str):
                raise self._error(f"a field of {kind} is named by a string", node)
            named = syntax.Select(node.at, node.width, node.depth, node.operand, key.constant)
            return self._select(named)
        if kind.name == "list":
            if not (accepts(INT, key.type) or key.type == UINT):
                raise self._error(f"a list is indexed by an int, not by {_a(key.type)}", node)
            return Typed(kind.parameters[0], closures.item(operand.run, key.run))
        if kind.name == "map":
            wanted = kind.parameters[0]
            if not comparable(wanted, key.type):
                message = f"the keys of this map are of type {wanted}, not {key.type}"
                raise self._error(message, node)
            return Typed(kind.parameters[1], closures.look_up(operand.run, key.run))
        if kind == DYN:
            return Typed(DYN, closures.index_any(operand.run, key.run))
        raise self._error(f"{_a(kind)} cannot be indexed", node)

    def _list(self, node: syntax.ListOf) -> Typed:
        items = [self.compile(item) for item in node.items]
        kind = list_of(joined([item.type for item in items]))
        if all(item.is_constant for item in items):
            return _constant(kind, [item.constant for item in items])
        runs = [item.run for item in items]
        return Typed(kind, lambda entry: [run(entry) for run in runs])

    def _map(self, node: syntax.MapOf) -> Typed:
        keys = [self.compile(key) for key, _ in node.entries]
        values = [self.compile(value) for _, value in node.entries]
        for key, (place, _) in zip(keys, node.entries, strict=True):
            if key.type.name not in ("int", "uint", "bool", "string", "dyn"):
                raise self._error(f"{_a(key.type)} cannot be the key of a map", place)
        kind = map_of(joined([key.type for key in keys]), joined([each.type for each in values]))
        runs = [(key.run, value.run) for key, value in zip(keys, values, strict=True)]

        def make(entry: Entry) -> dict[Any, Any]:
            made: dict[Any, Any] = {}
            for key, value in runs:
                at = closures.key_of(key(entry))
                if at in made:
                    raise EvaluationError("a key is there twice")
                made[at] = value(entry)
            return made

        return Typed(kind, make)

    # --- logic -----------------------------------------------------------------------------

    def _bool(self, node: syntax.Node, what: str) -> Condition:
        """A node that must be true or false."""
        typed = self.compile(node)
        if typed.type == BOOL:
            return typed.run
        if typed.type != DYN:
            meant = hints.condition(self._text, node, typed.type)
            message = f"{what} is true or false; this is of type {typed.type}"
            raise self._error(message, node, meant)
        run = typed.run

        def check(entry: Entry) -> bool:
            value = run(entry)
            if value is True or value is False:
                return value
            raise EvaluationError("neither true nor false")

        return check

    def _logic(self, node: syntax.Logic) -> Typed:
        runs = [self._bool(each, f"each side of {node.operator}") for each in node.operands]
        if len(runs) == 2:
            pair = closures.both if node.operator == "&&" else closures.either
            return Typed(BOOL, pair(*runs))
        return Typed(BOOL, closures.chain(runs, node.operator == "||"))

    def _conditional(self, node: syntax.Conditional) -> Typed:
        condition = self._bool(node.condition, "what stands before ?")
        yes, no = self.compile(node.yes), self.compile(node.no)
        if not accepts(yes.type, no.type):
            message = f"one choice is of type {yes.type}, the other one {no.type}"
            raise self._error(message, node.no)
        run, run_no = yes.run, no.run
        return Typed(
            joined([yes.type, no.type]),
            lambda entry: run(entry) if condition(entry) else run_no(entry),
        )

    def _unary(self, node: syntax.Unary) -> Typed:
        if node.operator == "!":
            run = self._bool(node.operand, "what ! turns round")
            return Typed(BOOL, lambda entry: not run(entry))
        operand = self.compile(node.operand)
        return self._apply(node, "-", NEGATIONS, [operand], [node.operand])

    # --- comparison and arithmetic ---------------------------------------------------------

    def _equality(self, node: syntax.Binary) -> Typed:
        left, right = self.compile(node.left), self.compile(node.right)
        if not comparable(left.type, right.type):
            constant, other = (node.left, right) if left.is_constant else (node.right, left)
            message = f"{left.type} is compared with {right.type}"
            raise self._error(message, constant, hints.value(self._text, constant, other.type))
        self._check_values(left, right, node.right)
        self._check_values(right, left, node.left)
        plain = (left.type == right.type and is_plain(left.type)) or (
            left.type in NUMBERS and right.type in NUMBERS
        )
        compare: Callable[[Any, Any], Any] = operator.eq if plain else equal
        if node.operator == "!=":
            compare = operator.ne if plain else closures.unequal
        return Typed(BOOL, closures.binary(compare, left, right))

    def _check_values(self, of: Typed, given: Typed, node: syntax.Node) -> None:
        """A comparison with what never is is a slip of the pen."""
        if of.values and isinstance(given.constant, str) and given.constant not in of.values:
            meant = nearest(given.constant, of.values)
            message = f'"{given.constant}" is none of {", ".join(of.values)}'
            raise self._error(message, node, f'"{meant}"' if meant else "")

    def _membership(self, node: syntax.Binary) -> Typed:
        item, among = self.compile(node.left), self.compile(node.right)
        kind = among.type
        if kind == DYN:
            return Typed(BOOL, closures.binary(closures.is_in_any, item, among))
        if kind.name not in ("list", "map"):
            meant = hints.contains(self._text, node) if kind == item.type == STRING else ""
            message = f"in looks into a list or a map, not into {_a(kind)}"
            raise self._error(message, node, meant)
        if not comparable(item.type, kind.parameters[0]):
            what = "items" if kind.name == "list" else "keys"
            message = f"the {what} are of type {kind.parameters[0]}, and this is {_a(item.type)}"
            raise self._error(message, node.left)
        if isinstance(among.constant, list):
            for value in among.constant:
                self._check_values(item, _constant(DYN, value), node.right)
        if kind.name == "map":
            return Typed(BOOL, closures.binary(closures.is_key, item, among))
        if not (item.type == kind.parameters[0] and is_plain(item.type)):
            return Typed(BOOL, closures.binary(closures.is_item, item, among))
        if among.is_constant and not item.type.parameters:
            some, run = frozenset(among.constant), item.run
            return Typed(BOOL, lambda entry: run(entry) in some)
        return Typed(BOOL, closures.binary(lambda left, right: left in right, item, among))

    def _operation(self, node: syntax.Binary) -> Typed:
        operands = [self.compile(node.left), self.compile(node.right)]
        overloads = OPERATORS[node.operator]
        return self._apply(node, node.operator, overloads, operands, [node.left, node.right])

    # --- calls -----------------------------------------------------------------------------

    def _call(self, node: syntax.Call) -> Typed:
        if node.target is None and node.function == "has":
            return self._has(node)
        if node.target is not None and node.function in MACROS:
            return self._macro(node, node.target)
        function = FUNCTIONS.get(node.function)
        target = [node.target] if node.target is not None else []
        places = [*target, *node.arguments]
        if function is None:
            names = [*FUNCTIONS, *(MACROS if target else ("has",))]
            raise self._error(
                f"there is no function {node.function}", node, nearest(node.function, names)
            )
        if target and not function.is_method:
            raise self._error(f"it is called as {function.name}(…)", node)
        if not target and not function.is_global:
            raise self._error(f"it is called as ….{function.name}(…)", node)
        arguments = [self.compile(place) for place in places]
        typed = self._apply(node, function.name, function.overloads, arguments, places)
        if function.name == "map_get" and arguments[0].type.name == "map":
            self._check_key(arguments[0].type.parameters[0], arguments[1], node.arguments[1])
            kinds = [arguments[0].type.parameters[1], arguments[2].type]
            return typed._replace(type=joined(kinds))
        if function.name == "matches":
            return self._matches(arguments, places[1]) or typed
        self._check_constant(function, arguments, typed, places)
        return typed

    def _check_key(self, wanted: Type, given: Typed, node: syntax.Node) -> None:
        if not comparable(wanted, given.type):
            message = f"the keys of this map are of type {wanted}, not {given.type}"
            raise self._error(message, node)

    def _matches(self, arguments: list[Typed], place: syntax.Node) -> Typed | None:
        """A regular expression that is written out is compiled, and checked, once."""
        text, pattern = arguments
        if not isinstance(pattern.constant, str) or text.type != STRING:
            return None
        try:
            search = regex.searcher(pattern.constant)
        except regex.RegexError as error:
            raise self._error(str(error), place) from error
        run = text.run
        return Typed(BOOL, lambda entry: search(run(entry)))

    def _check_constant(
        self,
        function: Function,
        arguments: list[Typed],
        typed: Typed,
        places: list[syntax.Node],
    ) -> None:
        """A time that is written out must be one."""
        if function.name in ("timestamp", "duration") and arguments[0].is_constant:
            try:
                typed.run({})
            except EvaluationError as error:
                raise self._error(str(error), places[0]) from error

    def _apply(
        self,
        node: syntax.Node,
        name: str,
        overloads: tuple[Overload, ...],
        arguments: list[Typed],
        places: list[syntax.Node],
    ) -> Typed:
        """A call of the overload that fits; where a type is dyn, it is chosen at run time."""
        given = [argument.type for argument in arguments]
        fitting = [each for each in overloads if _fits(each, given)]
        if not fitting:
            raise self._misfit(node, name, overloads, arguments, places)
        first = fitting[0]
        if DYN in given and any(DYN not in each.parameters for each in fitting):
            run = closures.chosen_late(fitting, [argument.run for argument in arguments])
            return Typed(joined([each.result for each in fitting]), run)
        result = joined(given) if first.result == LIST else first.result
        if all(argument.is_constant for argument in arguments):
            try:
                return _constant(result, first.run(*(each.constant for each in arguments)))
            except EvaluationError:
                pass  # it is an error at run time, which && and || may absorb
        return Typed(result, closures.calling(first.run, arguments))

    def _misfit(
        self,
        node: syntax.Node,
        name: str,
        overloads: tuple[Overload, ...],
        arguments: list[Typed],
        places: list[syntax.Node],
    ) -> FilterError:
        is_operator = isinstance(node, syntax.Binary | syntax.Unary)
        counts = sorted({len(each.parameters) for each in overloads})
        if len(arguments) not in counts:
            hidden = 1 if isinstance(node, syntax.Call) and node.target is not None else 0
            wanted = " or ".join(str(count - hidden) for count in counts)
            return self._error(f"{name} takes {wanted} arguments", node)
        of_size = [each for each in overloads if len(each.parameters) == len(arguments)]
        if is_operator:
            kinds = " and ".join(str(each.type) for each in arguments)
            meant = ""
            if len(arguments) == 2:
                pairs = ((places[0], arguments[1]), (places[1], arguments[0]))
                meants = (hints.value(self._text, place, other.type) for place, other in pairs)
                meant = next(filter(None, meants), "")
            place = places[-1] if meant else node
            return self._error(f"{name} is not for {kinds}", place, meant)
        for at, (argument, place) in enumerate(zip(arguments, places, strict=True)):
            wanted_kinds = dict.fromkeys(str(each.parameters[at]) for each in of_size)
            if not any(accepts(each.parameters[at], argument.type) for each in of_size):
                wanted = ", ".join(wanted_kinds)
                return self._error(f"{name} is for {wanted}, not for {argument.type}", place)
        kinds = ", ".join(str(each.type) for each in arguments)
        return self._error(f"{name} is not for ({kinds})", node)

    # --- macros ----------------------------------------------------------------------------

    def _has(self, node: syntax.Call) -> Typed:
        """Whether a field or a key is there (langdef.md, "Field Selection")."""
        if len(node.arguments) != 1 or not isinstance(node.arguments[0], syntax.Select):
            raise self._error("has() asks for a field, such as has(dst.pod)", node)
        select = node.arguments[0]
        self._select(select)
        operand = self.compile(select.operand)
        name, run = select.field, operand.run
        if isinstance(operand.type, ObjectType):
            present = operand.type.fields[name].present
            return Typed(BOOL, lambda entry: present(run(entry)))

        def has_key(entry: Entry) -> bool:
            value = run(entry)
            if isinstance(value, dict):
                return name in value
            raise EvaluationError("it has no fields")

        return Typed(BOOL, has_key)

    def _macro(self, node: syntax.Call, target: syntax.Node) -> Typed:
        """A loop over a list, or over the keys of a map."""
        name, arguments = node.function, node.arguments
        if len(arguments) not in ((2, 3) if name == "map" else (2,)):
            raise self._error(f"it is called as ….{name}(item, expression with item)", node)
        variable = arguments[0]
        if not isinstance(variable, syntax.Name):
            raise self._error("the first argument names the item", variable)
        source = self.compile(target)
        if source.type.name not in ("list", "map", "dyn"):
            message = f"{name} goes through a list or a map, not through {_a(source.type)}"
            raise self._error(message, target)
        item = source.type.parameters[0] if source.type.parameters else DYN
        cell: list[Any] = [None]
        hidden = self._scope.get(variable.name)
        self._scope[variable.name] = _Variable(item, cell)
        try:
            typed = self._loop(node, source, item, cell)
        finally:
            if hidden is None:
                del self._scope[variable.name]
            else:
                self._scope[variable.name] = hidden
        return typed

    def _loop(self, node: syntax.Call, source: Typed, item: Type, cell: list[Any]) -> Typed:
        self.steps = self.steps or Steps()
        items = closures.stepping(source.run, cell, self.steps)
        name, arguments = node.function, node.arguments
        if name == "map":
            condition = self._bool(arguments[1], "the condition") if len(arguments) == 3 else None
            made = self.compile(arguments[-1])
            return Typed(list_of(made.type), closures.mapping(items, condition, made.run))
        condition = self._bool(arguments[1], "the condition")
        if name == "filter":
            return Typed(list_of(item), closures.filtering(items, condition))
        if name in ("exists_one", "existsOne"):
            return Typed(BOOL, closures.exactly_one(items, condition))
        return Typed(BOOL, closures.quantifier(items, condition, name == "exists"))

    def _error(self, message: str, node: syntax.Node, suggestion: str = "") -> FilterError:
        return FilterError(message, self._text, node.at, node.width, suggestion)


MACROS = {
    "all": "whether the condition holds for every item: `list.all(x, x > 0)`",
    "exists": "whether it holds for some item: `list.exists(x, x > 0)`",
    "exists_one": "whether it holds for exactly one item",
    "existsOne": "the same",
    "filter": "the items for which it holds: `list.filter(x, x > 0)`",
    "map": "what is made of each item: `list.map(x, x + 1)`, `list.map(x, x > 0, x + 1)`",
}


def _a(kind: Type) -> str:
    return f"{'an' if kind.name[0] in 'aeiou' else 'a'} {kind}"


def _constant(kind: Type, value: Any) -> Typed:
    return Typed(kind, lambda _: value, value)


def _fits(overload: Overload, given: list[Type]) -> bool:
    wanted = overload.parameters
    return len(wanted) == len(given) and all(map(accepts, wanted, given))
