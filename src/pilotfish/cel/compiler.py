"""Syntax tree → a function from scopes to values, with every type checked on the way.

Each node becomes a closure, and where the operands' types are known it is the
one for just these types, so that a run costs little more than the look-ups
that it is about. Nothing runs before the whole expression is known to be sound.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from pilotfish.cel import closures, hints, macros, optionals, regex, syntax
from pilotfish.cel.closures import Condition, Run, Typed, constant
from pilotfish.cel.environment import Environment, Scope
from pilotfish.cel.errors import EvaluationError, ExpressionError, UnknownNameError, nearest
from pilotfish.cel.functions import Function
from pilotfish.cel.loops import Steps
from pilotfish.cel.operators import NEGATIONS, OPERATORS
from pilotfish.cel.overloads import called
from pilotfish.cel.types import (
    BOOL,
    DYN,
    INT,
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
    with_article,
)
from pilotfish.cel.values import TYPE_NAMES, TypeName, equal


class _Local(NamedTuple):
    """A macro's variable: its type, and where its value is put."""

    type: Type
    cell: list[Any]


class Compiler:
    """Compiles one expression.

    Attributes:
        names: the variables that it refers to.
        steps: taken by its loops; to be refilled before each run. None without loops.
    """

    def __init__(self, text: str, environment: Environment) -> None:
        self.names: set[str] = set()
        self.steps: Steps | None = None
        self.text = text
        self.environment = environment
        self._locals: dict[str, _Local] = {}

    def compile_condition(self, node: syntax.Node) -> Condition:
        """An expression that is true or false as a whole.

        Raises:
            ExpressionError: it is not sound.
        """
        return self.condition(node, self.environment.subject)

    def compile(self, node: syntax.Node) -> Typed:
        """What a node means.

        Raises:
            ExpressionError: it means nothing.
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
        raise TypeError(f"{type(node).__name__} is no node of an expression")

    def shared_steps(self) -> Steps:
        """The steps that all loops of the expression share."""
        if self.steps is None:
            self.steps = Steps(self.environment.max_steps)
        return self.steps

    def error(self, message: str, node: syntax.Node, suggestion: str = "") -> ExpressionError:
        """What is wrong at a node."""
        return ExpressionError(message, self.text, node.at, node.width, suggestion)

    def _unknown(
        self, message: str, node: syntax.Node, suggestion: str, name: str
    ) -> UnknownNameError:
        return UnknownNameError(message, self.text, node.at, node.width, suggestion, name)

    def within(
        self, locals_: dict[str, tuple[Type, list[Any]]], compile_: Callable[[], Typed]
    ) -> Typed:
        """What `compile_` returns while a macro's variables can be seen."""
        outer = self._locals
        self._locals = outer | {name: _Local(*each) for name, each in locals_.items()}
        try:
            return compile_()
        finally:
            self._locals = outer

    # --- leaves ----------------------------------------------------------------------------

    def _literal(self, node: syntax.Literal) -> Typed:
        value = node.value
        if node.type == INT and value == 1 << 63:
            raise self.error("the number is too large for int", node)
        return constant(node.type, value)

    def _name(self, node: syntax.Name) -> Typed:
        name = node.name
        local = self._locals.get(name)
        if local is not None:
            cell = local.cell
            return Typed(local.type, lambda _: cell[0])
        variables, functions = self.environment.variables, self.environment.functions
        variable = variables.get(name)
        if variable is not None:
            self.names.add(name)
            return Typed(variable.type, variable.get, values=variable.values)
        if name in TYPE_NAMES:
            return constant(TYPE, TypeName(name))
        if name in functions:
            raise self.error(f"{name} is a function: it needs arguments, {name}(…)", node)
        meant = nearest(name, [*self._locals, *variables])
        raise self._unknown(f"there is no {name}", node, meant, name)

    # --- parts -----------------------------------------------------------------------------

    def _select(self, node: syntax.Select) -> Typed:
        type_name = self._type_name(node)
        if type_name:
            return constant(TYPE, TypeName(type_name))
        operand = self.compile(node.operand)
        if node.optional or optionals.is_optional(operand.type):
            self._check_optionals(node)
            return optionals.selected(operand, lambda of: self._field(node, of), node.field)
        return self._field(node, operand)

    def _type_name(self, node: syntax.Select) -> str:
        """The type that a name with dots means, as in `type(x) == net.IP`; "" for none."""
        parts = [node.field]
        of = node.operand
        while isinstance(of, syntax.Select):
            parts.append(of.field)
            of = of.operand
        if not isinstance(of, syntax.Name) or of.name in (
            self._locals.keys() | self.environment.variables.keys()
        ):
            return ""
        return self.environment.types.get(".".join([of.name, *reversed(parts)]), "")

    def _field(self, node: syntax.Select, operand: Typed) -> Typed:
        name, run = node.field, operand.run
        if isinstance(operand.type, ObjectType):
            found = operand.type.fields.get(name)
            if found is None:
                meant = nearest(name, operand.type.fields)
                error = self._unknown(f"{operand.type} has no field {name}", node, meant, name)
                error.is_field = True
                raise error
            get = found.get
            return Typed(found.type, lambda scope: get(run(scope)))
        if operand.type.name == "map" and accepts(STRING, operand.type.parameters[0]):
            return Typed(operand.type.parameters[1], closures.look_up(run, lambda _: name))
        if operand.type == DYN:
            return Typed(DYN, closures.look_up(run, lambda _: name))
        raise self.error(f"a {operand.type} has no fields", node)

    def _index(self, node: syntax.Index) -> Typed:
        operand, key = self.compile(node.operand), self.compile(node.key)
        if node.optional or optionals.is_optional(operand.type):
            self._check_optionals(node)
            return optionals.indexed(operand, key, lambda of: self._item(node, of, key))
        return self._item(node, operand, key)

    def _item(self, node: syntax.Index, operand: Typed, key: Typed) -> Typed:
        kind = operand.type
        if isinstance(kind, ObjectType):
            if not isinstance(key.constant, str):
                raise self.error(f"a field of {kind} is named by a string", node)
            named = syntax.Select(node.at, node.width, node.depth, node.operand, key.constant)
            return self._field(named, operand)
        if kind.name == "list":
            if not (accepts(INT, key.type) or key.type == UINT):
                message = f"a list is indexed by an int, not by {with_article(key.type)}"
                raise self.error(message, node)
            return Typed(kind.parameters[0], closures.item(operand.run, key.run))
        if kind.name == "map":
            wanted = kind.parameters[0]
            if not comparable(wanted, key.type):
                message = f"the keys of this map are of type {wanted}, not {key.type}"
                raise self.error(message, node)
            return Typed(kind.parameters[1], closures.look_up(operand.run, key.run))
        if kind == DYN:
            return Typed(DYN, closures.index_any(operand.run, key.run))
        raise self.error(f"{with_article(kind)} cannot be indexed", node)

    def _check_optionals(self, node: syntax.Node) -> None:
        if "optional.of" not in self.environment.functions:
            raise self.error("? has no meaning here", node)

    def _list(self, node: syntax.ListOf) -> Typed:
        items = [self.compile(item) for item in node.items if not isinstance(item, syntax.Maybe)]
        if len(items) < len(node.items):
            return self._list_with_optionals(node)
        kind = list_of(joined([item.type for item in items]))
        if all(item.is_constant for item in items):
            return constant(kind, [item.constant for item in items])
        runs = [item.run for item in items]
        return Typed(kind, lambda scope: [run(scope) for run in runs])

    def _list_with_optionals(self, node: syntax.ListOf) -> Typed:
        parts = [self._part(item, item) for item in node.items]
        held = [optionals.inner_of(part.type) if maybe else part.type for maybe, part in parts]
        kind = list_of(joined(held))
        return Typed(kind, closures.list_maker([_run(part) for part in parts]))

    def _part(self, mark: syntax.Node, node: syntax.Node) -> tuple[bool, Typed]:
        """Compile an item or a value; `mark` says whether it is an optional to be left out."""
        if not isinstance(mark, syntax.Maybe):
            return False, self.compile(node)
        self._check_optionals(mark)
        operand = node.operand if isinstance(node, syntax.Maybe) else node
        part = self.compile(operand)
        if not (optionals.is_optional(part.type) or part.type == DYN):
            raise self.error(f"? is for an optional, not for {with_article(part.type)}", operand)
        return True, part

    def _map(self, node: syntax.MapOf) -> Typed:
        marks = [key for key, _ in node.entries]
        keys = [
            self.compile(key.operand if isinstance(key, syntax.Maybe) else key) for key in marks
        ]
        parts = [self._part(key, value) for key, value in node.entries]
        for key, (place, _) in zip(keys, node.entries, strict=True):
            if key.type.name not in ("int", "uint", "bool", "string", "dyn"):
                raise self.error(f"{with_article(key.type)} cannot be the key of a map", place)
        held = [optionals.inner_of(part.type) if maybe else part.type for maybe, part in parts]
        kind = map_of(joined([key.type for key in keys]), joined(held))
        runs = [(key.run, *_run(part)) for key, part in zip(keys, parts, strict=True)]
        return Typed(kind, closures.map_maker(runs))

    # --- logic -----------------------------------------------------------------------------

    def condition(self, node: syntax.Node, what: str) -> Condition:
        """A node that must be true or false; `what` it is, for people.

        Raises:
            ExpressionError: it is not.
        """
        typed = self.compile(node)
        if typed.type == BOOL:
            return typed.run
        if typed.type != DYN:
            meant = hints.condition(self.text, node, typed.type)
            message = f"{what} is true or false; this is of type {typed.type}"
            raise self.error(message, node, meant)
        run = typed.run

        def check(scope: Scope) -> bool:
            value = run(scope)
            if value is True or value is False:
                return value
            raise EvaluationError("neither true nor false")

        return check

    def _logic(self, node: syntax.Logic) -> Typed:
        what = f"each side of {node.operator}"
        runs = [self.condition(each, what) for each in node.operands]
        if len(runs) == 2:
            pair = closures.both if node.operator == "&&" else closures.either
            return Typed(BOOL, pair(*runs))
        return Typed(BOOL, closures.chain(runs, node.operator == "||"))

    def _conditional(self, node: syntax.Conditional) -> Typed:
        condition = self.condition(node.condition, "what stands before ?")
        yes, no = self.compile(node.yes), self.compile(node.no)
        if not accepts(yes.type, no.type):
            message = f"one choice is of type {yes.type}, the other one {no.type}"
            raise self.error(message, node.no)
        run, run_no = yes.run, no.run
        return Typed(
            joined([yes.type, no.type]),
            lambda scope: run(scope) if condition(scope) else run_no(scope),
        )

    def _unary(self, node: syntax.Unary) -> Typed:
        if node.operator == "!":
            run = self.condition(node.operand, "what ! turns round")
            return Typed(BOOL, lambda scope: not run(scope))
        operand = self.compile(node.operand)
        return called(self.text, node, "-", NEGATIONS, [operand], [node.operand])

    # --- comparison and arithmetic ---------------------------------------------------------

    def _equality(self, node: syntax.Binary) -> Typed:
        left, right = self.compile(node.left), self.compile(node.right)
        if not comparable(left.type, right.type):
            place, other = (node.left, right) if left.is_constant else (node.right, left)
            message = f"{left.type} is compared with {right.type}"
            raise self.error(message, place, hints.value(self.text, place, other.type))
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
            raise self.error(message, node, f'"{meant}"' if meant else "")

    def _membership(self, node: syntax.Binary) -> Typed:
        item, among = self.compile(node.left), self.compile(node.right)
        kind = among.type
        if kind == DYN:
            return Typed(BOOL, closures.binary(closures.is_in_any, item, among))
        if kind.name not in ("list", "map"):
            meant = hints.contains(self.text, node) if kind == item.type == STRING else ""
            message = f"in looks into a list or a map, not into {with_article(kind)}"
            raise self.error(message, node, meant)
        if not comparable(item.type, kind.parameters[0]):
            what = "items" if kind.name == "list" else "keys"
            given = with_article(item.type)
            message = f"the {what} are of type {kind.parameters[0]}, and this is {given}"
            raise self.error(message, node.left)
        if isinstance(among.constant, list):
            for value in among.constant:
                self._check_values(item, constant(DYN, value), node.right)
        if kind.name == "map":
            return Typed(BOOL, closures.binary(closures.is_key, item, among))
        if not (item.type == kind.parameters[0] and is_plain(item.type)):
            return Typed(BOOL, closures.binary(closures.is_item, item, among))
        if among.is_constant and not item.type.parameters:
            some, run = frozenset(among.constant), item.run
            return Typed(BOOL, lambda scope: run(scope) in some)
        return Typed(BOOL, closures.binary(lambda left, right: left in right, item, among))

    def _operation(self, node: syntax.Binary) -> Typed:
        operands = [self.compile(node.left), self.compile(node.right)]
        overloads, places = OPERATORS[node.operator], [node.left, node.right]
        return called(self.text, node, node.operator, overloads, operands, places)

    # --- calls -----------------------------------------------------------------------------

    def _call(self, node: syntax.Call) -> Typed:
        if node.target is None and node.function == "has":
            return macros.has(self, node)
        functions = self.environment.functions
        if isinstance(node.target, syntax.Name) and node.target.name not in self._locals:
            spaced = f"{node.target.name}.{node.function}"
            if spaced in functions:
                return self._called(node, functions[spaced], list(node.arguments))
        if node.target is not None and macros.is_macro(node, self.environment):
            return macros.expanded(self, node, node.target)
        function = functions.get(node.function)
        target = [node.target] if node.target is not None else []
        if function is None:
            names = [*functions, *(macros.MACROS if target else ("has",))]
            meant = nearest(node.function, names)
            raise self.error(f"there is no function {node.function}", node, meant)
        if target and not function.is_method:
            raise self.error(f"it is called as {function.name}(…)", node)
        if not target and not function.is_global:
            raise self.error(f"it is called as ….{function.name}(…)", node)
        return self._called(node, function, [*target, *node.arguments])

    def _called(self, node: syntax.Call, function: Function, places: list[syntax.Node]) -> Typed:
        arguments = [self.compile(place) for place in places]
        name, overloads = function.name, function.overloads
        typed = called(self.text, node, name, overloads, arguments, places)
        if function.name == "matches":
            return self._matches(arguments, places[1]) or typed
        if function.has_syntax and arguments[0].is_constant:
            # A time, address, … that is written out must be one.
            try:
                typed.run({})
            except EvaluationError as error:
                raise self.error(str(error), places[0]) from error
        return typed

    def _matches(self, arguments: list[Typed], place: syntax.Node) -> Typed | None:
        """A regular expression that is written out is compiled, and checked, once."""
        text, pattern = arguments
        if not isinstance(pattern.constant, str) or text.type != STRING:
            return None
        try:
            search = regex.searcher(pattern.constant)
        except regex.RegexError as error:
            raise self.error(str(error), place) from error
        run: Run = text.run
        return Typed(BOOL, lambda scope: search(run(scope)))


def _run(part: tuple[bool, Typed]) -> tuple[bool, Run]:
    maybe, typed = part
    return maybe, typed.run
