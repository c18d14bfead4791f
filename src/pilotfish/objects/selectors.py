"""Label selectors and field selectors.

The grammar is that of the API's `labelSelector` and `fieldSelector` query
parameters ("Labels and Selectors" in the Kubernetes documentation):
`a=b,c!=d,e in (f,g),h notin (i),j,!k` and, for fields, `=`, `==`, `!=`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Operator = Literal["in", "notin", "exists", "!exists", "gt", "lt"]

_KEY = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?\Z"
)
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?\Z")
_TOKEN = re.compile(r"\s*(==|!=|=|!|,|\(|\)|<|>|[^\s=!,()<>]+)")

_OPERATORS: dict[str, Operator] = {
    "In": "in",
    "NotIn": "notin",
    "Exists": "exists",
    "DoesNotExist": "!exists",
    "Gt": "gt",
    "Lt": "lt",
}


class SelectorError(ValueError):
    """A selector that cannot be read; the text says where it goes wrong."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on the labels of an object."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet the condition; a missing key meets `notin` and `!exists`."""
        value = labels.get(self.key)
        match self.operator:
            case "in":
                return value is not None and value in self.values
            case "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!exists":
                return value is None
        return value is not None and self._compares(value)

    def _compares(self, value: str) -> bool:
        try:
            have, bound = int(value), int(next(iter(self.values)))
        except ValueError:
            return False
        return have > bound if self.operator == "gt" else have < bound


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Requirements that must all hold; without any it matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether every requirement holds for the labels."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    def __bool__(self) -> bool:
        return bool(self.requirements)


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    """One condition on a field, such as `spec.nodeName=node-1`."""

    path: str
    operator: Literal["=", "!="]
    value: str

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether the condition holds for the selectable fields of an object."""
        return (fields.get(self.path, "") == self.value) == (self.operator == "=")


def match_labels(labels: Mapping[str, str] | None) -> LabelSelector:
    """The selector of a plain map, as Services and ReplicationControllers have it."""
    return LabelSelector(
        tuple(Requirement(key, "in", frozenset((value,))) for key, value in (labels or {}).items())
    )


def label_selector(selector: Mapping[str, Any] | None) -> LabelSelector:
    """The selector of a metav1.LabelSelector: {matchLabels, matchExpressions}.

    Raises:
        SelectorError: for an operator that Kubernetes does not know.
    """
    selector = selector or {}
    requirements = list(match_labels(selector.get("matchLabels")).requirements)
    for expression in selector.get("matchExpressions") or ():
        operator = _OPERATORS.get(expression.get("operator", ""))
        if operator is None:
            raise SelectorError(
                f"{expression.get('operator')!r} is not a valid label selector operator"
            )
        values = frozenset(expression.get("values") or ())
        requirements.append(Requirement(expression["key"], operator, values))
    return LabelSelector(tuple(requirements))


def format_label_selector(selector: LabelSelector) -> str:
    """The selector as the query parameter that `parse_label_selector` reads."""
    return ",".join(_format(requirement) for requirement in selector.requirements)


def _format(requirement: Requirement) -> str:
    values = sorted(requirement.values)
    match requirement.operator:
        case "in" if len(values) == 1:
            return f"{requirement.key}={values[0]}"
        case "exists":
            return requirement.key
        case "!exists":
            return f"!{requirement.key}"
        case "gt":
            return f"{requirement.key}>{values[0]}"
        case "lt":
            return f"{requirement.key}<{values[0]}"
    return f"{requirement.key} {requirement.operator} ({','.join(values)})"


def parse_label_selector(text: str) -> LabelSelector:
    """Read the `labelSelector` query parameter.

    Raises:
        SelectorError: naming what was found and what was expected.
    """
    tokens = _tokens(text)
    requirements: list[Requirement] = []
    while tokens:
        requirements.append(_requirement(tokens))
        if tokens:
            token = tokens.pop(0)
            if token != ",":
                raise SelectorError(f"found '{token}', expected: ',' or 'end of string'")
            if not tokens:
                raise SelectorError("found '', expected: identifier after ','")
    return LabelSelector(tuple(requirements))


def _tokens(text: str) -> list[str]:
    tokens, at, text = [], 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise SelectorError(f"unable to parse requirement: found {text[at:]!r}")
        tokens.append(match[1])
        at = match.end()
    return tokens


def _requirement(tokens: list[str]) -> Requirement:
    if tokens[0] == "!":
        tokens.pop(0)
        return Requirement(_key(tokens), "!exists")
    key = _key(tokens)
    if not tokens or tokens[0] == ",":
        return Requirement(key, "exists")
    operator = tokens.pop(0)
    if operator in ("=", "=="):
        return Requirement(key, "in", frozenset((_value(tokens),)))
    if operator == "!=":
        return Requirement(key, "notin", frozenset((_value(tokens),)))
    if operator in ("in", "notin"):
        return Requirement(key, "in" if operator == "in" else "notin", _value_set(tokens))
    if operator in ("<", ">"):
        return Requirement(key, "gt" if operator == ">" else "lt", frozenset((_value(tokens),)))
    raise SelectorError(
        f"unable to parse requirement: found '{operator}', expected: in, notin, =, ==, !=, gt, lt"
    )


def _key(tokens: list[str]) -> str:
    key = tokens.pop(0) if tokens else ""
    if not _KEY.match(key):
        raise SelectorError(
            f"unable to parse requirement: <nil>: Invalid value: {key!r}: name part "
            "must consist of alphanumeric characters, '-', '_' or '.', and must "
            "start and end with an alphanumeric character"
        )
    return key


def _value(tokens: list[str]) -> str:
    # `a=` asks for the empty value: what follows is the end or the next requirement.
    value = tokens.pop(0) if tokens and tokens[0] != "," else ""
    return _checked_value(value)


def _checked_value(value: str) -> str:
    if not _VALUE.match(value):
        raise SelectorError(
            f"unable to parse requirement: values[0]: Invalid value: {value!r}: a valid "
            "label must be an empty string or consist of alphanumeric characters, "
            "'-', '_' or '.', and must start and end with an alphanumeric character"
        )
    return value


def _value_set(tokens: list[str]) -> frozenset[str]:
    if not tokens or tokens.pop(0) != "(":
        raise SelectorError("unable to parse requirement: found no '(', expected: '('")
    values: set[str] = set()
    expect_value = True
    while tokens:
        token = tokens.pop(0)
        if token == ")":
            if expect_value:
                values.add("")
            return frozenset(values)
        if token == ",":
            if expect_value:
                values.add("")
            expect_value = True
            continue
        if not expect_value:
            raise SelectorError(
                f"unable to parse requirement: found '{token}', expected: ',' or ')'"
            )
        values.add(_checked_value(token))
        expect_value = False
    raise SelectorError("unable to parse requirement: found '', expected: ',' or ')'")


def parse_field_selector(text: str) -> list[FieldRequirement]:
    """Read the `fieldSelector` query parameter.

    Backslash escapes `,`, `=` and itself within a value (fields.EscapeValue).

    Raises:
        SelectorError: naming the term that is no `path=value` or `path!=value`.
    """
    return [_field_requirement(term) for term in _field_terms(text) if term]


def _field_terms(text: str) -> list[str]:
    terms, term, escaped = [], "", False
    for character in text:
        if character == "," and not escaped:
            terms.append(term)
            term = ""
        else:
            term += character
        escaped = character == "\\" and not escaped
    return [*terms, term]


def _field_requirement(term: str) -> FieldRequirement:
    match = re.match(r"([^=!\\]+)(!=|==|=)(.*)\Z", term, re.DOTALL)
    if match is None:
        raise SelectorError(f"invalid selector: '{term}'; can't understand '{term}'")
    value = re.sub(r"\\([\\,=])", r"\1", match[3])
    return FieldRequirement(match[1], "!=" if match[2] == "!=" else "=", value)
