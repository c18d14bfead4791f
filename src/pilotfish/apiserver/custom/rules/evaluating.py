"""Evaluating: the rules of a schema on an object, in the words of kube-apiserver."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

from pilotfish.apiserver.custom.rules.compiling import Program, Rule, RuledSchema
from pilotfish.apiserver.validation.causes import Cause, duplicate, forbidden, invalid, required
from pilotfish.cel.errors import EvaluationError, TooLongError
from pilotfish.cel.optional_value import NONE, Optional

log = logging.getLogger(__name__)

# Steps that the loops of all rules may take for one object.
_BUDGET_STEPS: Final = 1_000_000
# A rule's own cost beside its loops, so that very many rules come to an end too.
_RULE_STEPS: Final = 10
_MAX_MESSAGE_CHARS: Final = 5 * 1024
_MISSING: Final = object()
_OUT_OF_BUDGET: Final = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)


def check_rules(schema: RuledSchema, new: Any, old: Any = None) -> list[Cause]:
    """What the rules of a schema say against an object.

    A rule whose value an update leaves as it is does not hinder the update
    (ratcheting; "Validation ratcheting" in the documentation of CustomResourceDefinitions).

    Args:
        new: the object, which has the shape that the schema says.
        old: what it was before; None if it is created.
    """
    walk = _Walk()
    previous = _MISSING if old is None else old
    return list(walk.check(schema, new, previous, "", is_same=False))


class _Walk:
    def __init__(self) -> None:
        self._left = _BUDGET_STEPS
        self._is_over = False

    def check(
        self, schema: RuledSchema, new: Any, old: Any, path: str, *, is_same: bool
    ) -> Iterator[Cause]:
        """What is wrong with a value and all below it; nothing more once a rule took too long.

        Args:
            old: the value before; _MISSING if there was none.
            is_same: whether the value, or what it lies in, is as it was before.
        """
        if new is None or self._is_over:
            return
        is_same = is_same or (old is not _MISSING and new == old)
        yield from self._check_here(schema, new, old, path, is_same)
        if isinstance(new, dict):
            before = old if isinstance(old, dict) else {}
            for name, value in new.items():
                child = schema.properties.get(name, schema.others)
                if child is not None:
                    # Keys of maps are shown in brackets, fields behind a dot.
                    at = _field(path, name) if name in schema.properties else f"{path}[{name}]"
                    previous = before.get(name, _MISSING)
                    yield from self.check(child, value, previous, at, is_same=is_same)
        elif isinstance(new, list) and schema.items is not None:
            for index, (value, previous) in enumerate(_paired(new, old, schema.list_keys)):
                at = f"{path}[{index}]"
                yield from self.check(schema.items, value, previous, at, is_same=is_same)

    def _check_here(
        self, schema: RuledSchema, new: Any, old: Any, path: str, is_same: bool
    ) -> Iterator[Cause]:
        if not schema.rules:
            return
        try:
            scope = {"self": _converted(schema, new)}
            has_old = old is not _MISSING and old is not None
            before = _converted(schema, old) if has_old else None
        except EvaluationError as error:
            yield invalid(path or "<nil>", schema.type_name, str(error))
            return
        for rule in schema.rules:
            if rule.is_old_optional:
                scope["oldSelf"] = Optional(before, True) if has_old else NONE
            elif has_old:
                scope["oldSelf"] = before
            elif rule.program.uses_old:
                continue
            if is_same and not rule.program.uses_old:
                continue
            cause = self._failure(rule, schema, scope, path)
            if cause is not None:
                yield cause
            if self._is_over:
                return

    def _failure(
        self, rule: Rule, schema: RuledSchema, scope: dict[str, Any], path: str
    ) -> Cause | None:
        shown = path or "<nil>"
        if self._left < 0:
            self._is_over = True
            return invalid(shown, schema.type_name, _OUT_OF_BUDGET)
        try:
            if self._run(rule.program, scope) is True:
                return None
        except TooLongError:
            self._is_over = True
            why = (
                "'operation cancelled: actual cost limit exceeded': no further validation rules "
                f"will be run due to call cost exceeds limit for rule: {rule.message or rule.text}"
            )
            return invalid(shown, schema.type_name, why)
        except EvaluationError as error:
            why = f"{error} evaluating rule: {rule.message or rule.text}"
            if str(error).startswith("no such overload"):
                why = (
                    f"'{error}': call arguments did not match a supported operator, function or "
                    f"macro signature for rule: {rule.message or rule.text}"
                )
            return invalid(shown, schema.type_name, why)
        return _cause(rule, schema, path, self._message(rule, scope))

    def _run(self, program: Program, scope: dict[str, Any]) -> Any:
        self._left -= _RULE_STEPS
        steps = program.steps
        if steps is not None:
            steps.refill()
        try:
            return program.run(scope)
        finally:
            if steps is not None:
                self._left -= steps.most - max(steps.left, 0)

    def _message(self, rule: Rule, scope: dict[str, Any]) -> str:
        """What the rule's author says; their own words, where the expression for it fails."""
        program = rule.message_program
        if program is not None and ("oldSelf" in scope or not program.uses_old):
            try:
                made = self._run(program, scope)
            except EvaluationError as error:
                log.info("messageExpression of rule %r: %s", rule.text, error)
                made = ""
            if made.strip() and "\n" not in made.strip() and len(made) <= _MAX_MESSAGE_CHARS:
                return str(made).strip()
        return rule.message or f"failed rule: {rule.text}"


def _cause(rule: Rule, schema: RuledSchema, path: str, message: str) -> Cause:
    blamed = (path + rule.field_path).removeprefix(".") or "<nil>"
    match rule.reason:
        case "FieldValueForbidden":
            return forbidden(blamed, message)
        case "FieldValueRequired":
            return required(blamed, message)
        case "FieldValueDuplicate":
            return duplicate(blamed, schema.type_name)
    return invalid(blamed, schema.type_name, message)


def _converted(schema: RuledSchema, value: Any) -> Any:
    return value if schema.convert is None else schema.convert(value)


def _field(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _paired(new: list[Any], old: Any, keys: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
    """Each item with what it was before, where keys tell; else with nothing."""
    before: dict[tuple[Any, ...], Any] = {}
    if keys and isinstance(old, list):
        before = {_key(item, keys): item for item in old}
    for item in new:
        yield item, before.get(_key(item, keys), _MISSING) if before else _MISSING


def _key(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(item.get(key) for key in keys) if isinstance(item, dict) else ()
