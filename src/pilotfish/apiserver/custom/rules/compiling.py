"""Compiling: the rules of a schema, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from pilotfish.apiserver.custom.field_paths import FieldPathError, schema_at
from pilotfish.apiserver.custom.keywords import LIST_KEYS, LIST_TYPE, RULES
from pilotfish.apiserver.custom.rules import costs, formats
from pilotfish.apiserver.custom.rules.types import (
    Convert,
    Schema,
    Types,
    converter,
    with_identity,
)
from pilotfish.apiserver.validation.causes import Cause, forbidden, invalid, not_supported, required
from pilotfish.cel.closures import Run
from pilotfish.cel.compiler import Compiler
from pilotfish.cel.environment import Environment, Variable
from pilotfish.cel.errors import ExpressionError, SyntaxFaultError, UnknownNameError
from pilotfish.cel.libraries.kubernetes import FUNCTIONS, TYPES, merged
from pilotfish.cel.loops import Steps
from pilotfish.cel.optionals import optional_of
from pilotfish.cel.parser import parse
from pilotfish.cel.syntax import Node
from pilotfish.cel.types import BOOL, STRING, Type

# Steps that the loops of one rule may take: what kube-apiserver's 1,000,000 units of cost buy.
MAX_STEPS: Final = 200_000
_MAX_CHARS: Final = 100_000
_REASONS: Final = (
    "FieldValueInvalid",
    "FieldValueForbidden",
    "FieldValueRequired",
    "FieldValueDuplicate",
)
_FUNCTIONS: Final = merged(FUNCTIONS.values(), formats.FUNCTIONS)


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression.

    Attributes:
        run: its value, in a scope with `self` and `oldSelf`.
        steps: to be refilled before each run; None without loops.
        uses_old: whether it looks at oldSelf.
    """

    run: Run
    steps: Steps | None
    uses_old: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One of `x-kubernetes-validations`.

    Attributes:
        text, message: as they were written, without white space around them.
        message_program: makes the message; None without.
        reason: of the cause.
        field_path: the field to blame, below the rule's own: ".name"; "" for that itself.
        is_old_optional: whether oldSelf is an optional, so that there is always one.
    """

    text: str
    program: Program
    message: str
    message_program: Program | None
    reason: str
    field_path: str
    is_old_optional: bool


@dataclass(frozen=True, slots=True)
class RuledSchema:
    """A part of a schema that has rules in it.

    Attributes:
        type_name: as the schema says it: "object".
        rules: of the part itself.
        convert: makes CEL's values of its JSON; None where they are the same.
        properties, others, items: the parts below; those without rules are left out.
        list_keys: by which the items of old and new belong together; () where they do not.
    """

    type_name: str
    rules: tuple[Rule, ...] = ()
    convert: Convert | None = None
    properties: Mapping[str, RuledSchema] = field(default_factory=dict)
    others: RuledSchema | None = None
    items: RuledSchema | None = None
    list_keys: tuple[str, ...] = ()


def ruled_schema(schema: Schema) -> RuledSchema | None:
    """The rules of a whole schema, all sound; None if it has none."""
    return _Collector([], limits_costs=False).collect(schema, "")


def validate_rules(schema: Schema, path: str) -> list[Cause]:
    """What is wrong with the rules of a schema that is structural."""
    causes: list[Cause] = []
    _Collector(causes, limits_costs=True).collect(schema, path)
    return causes


class _Collector:
    """Walks a schema; unsound rules become causes, and those that could cost too much."""

    def __init__(self, causes: list[Cause], *, limits_costs: bool) -> None:
        self._causes = causes
        self._limits_costs = limits_costs
        self._types = Types()

    def collect(
        self,
        schema: Schema,
        path: str,
        name: str = "object",
        loose: str = "",
        around: tuple[Schema, ...] = (),
    ) -> RuledSchema | None:
        """The rules of a part of a schema and of the parts below it; None if there are none.

        Args:
            path, name: where the part stands, for people and for CEL.
            loose: the list around it whose old and new items cannot be told to be the same.
            around: the lists and maps around it.
        """
        is_keyed = schema.get(LIST_TYPE) == "map"
        below = (*around, schema)
        others, items = schema.get("additionalProperties"), schema.get("items")
        found = {
            key: self.collect(child, f"{path}.properties[{key}]", f"{name}.{key}", loose, around)
            for key, child in (schema.get("properties") or {}).items()
        }
        properties = {key: child for key, child in found.items() if child is not None}
        of_others = of_items = None
        if isinstance(others, Mapping):
            at = f"{path}.additionalProperties"
            of_others = self.collect(others, at, f"{name}.values", loose, below)
        if isinstance(items, Mapping):
            hidden = loose if is_keyed else loose or path
            of_items = self.collect(items, f"{path}.items", f"{name}.items", hidden, below)
        written = schema.get(RULES) or ()
        if not (written or properties or of_others or of_items):
            return None
        seen = with_identity(schema) if name == "object" else schema
        times = costs.cardinality(around, schema) if written else 0
        kind = self._types.of(seen, name) if written else None
        rules = [
            self._rule(rule, seen, kind, f"{path}.{RULES}[{index}]", loose, times)
            for index, rule in enumerate(written)
        ]
        return RuledSchema(
            schema.get("type", ""),
            tuple(rule for rule in rules if rule is not None),
            converter(seen) if written else None,
            properties,
            of_others,
            of_items,
            tuple(schema.get(LIST_KEYS) or ()) if is_keyed else (),
        )

    def _rule(
        self,
        rule: Mapping[str, Any],
        schema: Schema,
        kind: Type | None,
        path: str,
        loose: str,
        times: int,
    ) -> Rule | None:
        before = len(self._causes)
        text, message = rule.get("rule", "").strip(), rule.get("message", "")
        self._causes += _written_badly(rule, schema, path)
        if kind is None:
            why = "rules can only be set on a schema whose type is known"
            self._causes.append(invalid(path, rule, why))
        if kind is None or not text:
            return None
        is_optional = bool(rule.get("optionalOldSelf"))
        environment = _environment(kind, is_optional)
        compiled = self._compiled(rule["rule"], environment, BOOL, f"{path}.rule")
        program, tree = compiled or (None, None)
        worded = rule.get("messageExpression", "")
        message_program = None
        if worded.strip():
            at = f"{path}.messageExpression"
            made = self._compiled(worded, environment, STRING, at)
            message_program = None if made is None else made[0]
        if loose and program is not None and program.uses_old:
            why = (
                f"oldSelf cannot be used on the uncorrelatable portion of the schema within {loose}"
            )
            self._causes.append(invalid(f"{path}.rule", rule["rule"], why))
        if program is None or tree is None or len(self._causes) > before:
            return None
        if self._limits_costs:
            too_much = costs.excess(times * costs.rounds(tree, schema))
            if too_much:
                self._causes.append(forbidden(f"{path}.rule", too_much))
                return None
        return Rule(
            text,
            program,
            message.strip(),
            message_program,
            rule.get("reason") or _REASONS[0],
            rule.get("fieldPath", ""),
            is_optional,
        )

    def _compiled(
        self, text: str, environment: Environment, wanted: Type, path: str
    ) -> tuple[Program, Node] | None:
        """An expression with its tree; None if it is not sound, which becomes a cause."""
        try:
            if len(text) > _MAX_CHARS:
                raise ExpressionError(f"it has more than {_MAX_CHARS} characters", text, 0)
            compiler = Compiler(text, environment)
            tree = parse(text)
            typed = compiler.compile(tree)
        except ExpressionError as error:
            words = (
                "compilation failed" if wanted == BOOL else "messageExpression compilation failed"
            )
            self._causes.append(invalid(path, text, f"{words}: {_shown(error, text)}"))
            return None
        if typed.type != wanted:
            what = "cel expression" if wanted == BOOL else "messageExpression"
            why = f"{what} must evaluate to a {'bool' if wanted == BOOL else 'string'}"
            self._causes.append(invalid(path, text, why))
            return None
        return Program(typed.run, compiler.steps, "oldSelf" in compiler.names), tree


def _shown(error: ExpressionError, text: str) -> str:
    """An error with its place, as CEL's compilers show it."""
    line = text.split("\n")[error.line - 1]
    message = error.message
    if isinstance(error, SyntaxFaultError):
        message = f"Syntax error: {message}"
    elif isinstance(error, UnknownNameError) and error.is_field:
        message = f"undefined field '{error.name}'"
    elif isinstance(error, UnknownNameError):
        message = f"undeclared reference to '{error.name}' (in container '')"
    meant = f"; did you mean {error.suggestion}?" if error.suggestion else ""
    return (
        f"ERROR: <input>:{error.line}:{error.column}: {message}{meant}\n"
        f" | {line}\n | {'.' * (error.column - 1)}^"
    )


def _environment(kind: Type, is_old_optional: bool) -> Environment:
    old = optional_of(kind) if is_old_optional else kind
    variables = (
        Variable("self", kind, "the value", itemgetter("self")),
        Variable("oldSelf", old, "the value before an update", itemgetter("oldSelf")),
    )
    return Environment(
        {each.name: each for each in variables},
        _FUNCTIONS,
        MAX_STEPS,
        types=TYPES,
        has_extensions=True,
    )


def _written_badly(rule: Mapping[str, Any], schema: Schema, path: str) -> Iterator[Cause]:
    text, message = rule.get("rule", "").strip(), rule.get("message", "")
    if not text:
        yield required(f"{path}.rule", "rule is not specified")
    if "message" in rule and message and not message.strip():
        yield invalid(f"{path}.message", message, "message must be non-empty if specified")
    elif "\n" in message.strip():
        yield invalid(f"{path}.message", message, "message must not contain line breaks")
    elif "\n" in text and not message.strip():
        why = "message must be specified if rule contains line breaks"
        yield required(f"{path}.message", why)
    worded = rule.get("messageExpression", "")
    if worded and not worded.strip():
        why = "messageExpression must be non-empty if specified"
        yield required(f"{path}.messageExpression", why)
    reason = rule.get("reason")
    if reason is not None and reason not in _REASONS:
        yield not_supported(f"{path}.reason", reason, _REASONS)
    blamed = rule.get("fieldPath", "")
    try:
        schema_at(schema, blamed)
    except FieldPathError as error:
        yield invalid(f"{path}.fieldPath", blamed, f"fieldPath must be a valid path: {error}")
