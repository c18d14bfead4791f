"""Expressions of all kinds give what Google's own evaluator of CEL, cel-cpp, gives."""

from __future__ import annotations

from typing import Any, Final

import pytest
from cel_expr_python import cel
from cel_expr_python.ext import ext_optional, ext_strings
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.cel.compiler import Compiler
from pilotfish.cel.environment import Environment
from pilotfish.cel.errors import EvaluationError, ExpressionError
from pilotfish.cel.libraries.kubernetes import FUNCTIONS, TYPES
from pilotfish.cel.parser import parse

ENVIRONMENT: Final = Environment({}, FUNCTIONS, 10_000, types=TYPES, has_extensions=True)
ORACLE: Final = cel.NewEnv(extensions=[ext_optional.ExtOptional(), ext_strings.ExtStrings()])

ERROR: Final = "error"
REFUSED: Final = "refused"


def ours(text: str) -> Any:
    try:
        typed = Compiler(text, ENVIRONMENT).compile(parse(text))
    except ExpressionError:
        return REFUSED
    try:
        return shown(typed.run({}))
    except EvaluationError:
        return ERROR


def theirs(text: str) -> Any:
    try:
        compiled = ORACLE.compile(text)
    except RuntimeError:
        return REFUSED
    result = compiled.eval(data={})
    return ERROR if result.type() == cel.Type.ERROR else shown(result.plain_value())


def shown(value: Any) -> Any:
    """A value in which 1, 1.0 and true are three things."""
    match value:
        case list():
            return [shown(item) for item in value]
        case dict():
            return {repr(shown(key)): shown(item) for key, item in value.items()}
        case bool() | str() | bytes() | None:
            return value
        case float():
            return ("double", repr(value))
        case int():
            return ("int", int(value))
    raise TypeError(f"{type(value).__name__} is not for this test")


NUMBERS: Final = st.sampled_from(
    ["0", "1", "2", "-1", "7", "-7", "9223372036854775807", "-9223372036854775808", "10"]
)
DOUBLES: Final = st.sampled_from(["0.5", "-1.5", "1e3", "2.0", "0.0"])
TEXTS: Final = st.sampled_from(["''", "'a'", "'abc'", "'ä€😀'", "'a.b'", "r'\\d'", "'12'"])


def numbers(of: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(of, st.sampled_from("+-*/%"), of)
    return st.one_of(
        pairs.map(lambda each: f"({each[0]} {each[1]} {each[2]})"),
        texts_and_lists().map(lambda each: f"size({each})"),
    )


def texts_and_lists() -> st.SearchStrategy[str]:
    items = st.lists(NUMBERS, max_size=3).map(lambda each: f"[{', '.join(each)}]")
    return st.one_of(TEXTS, items)


INTS: Final = st.recursive(NUMBERS, numbers, max_leaves=4)
LISTS: Final = st.lists(INTS, max_size=4).map(lambda each: f"[{', '.join(each)}]")


def conditions(of: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(of, st.sampled_from(["&&", "||", "==", "!="]), of).map(
            lambda each: f"({each[0]} {each[1]} {each[2]})"
        ),
        st.tuples(of, of, of).map(lambda each: f"({each[0]} ? {each[1]} : {each[2]})"),
        of.map(lambda each: f"!{each}"),
    )


COMPARED: Final = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
BOOLS: Final = st.recursive(
    st.one_of(
        st.sampled_from(["true", "false"]),
        st.tuples(INTS, COMPARED, INTS).map(lambda each: f"({each[0]} {each[1]} {each[2]})"),
        st.tuples(DOUBLES, COMPARED, DOUBLES).map(lambda each: f"({each[0]} {each[1]} {each[2]})"),
        st.tuples(TEXTS, COMPARED, TEXTS).map(lambda each: f"({each[0]} {each[1]} {each[2]})"),
        st.tuples(INTS, LISTS).map(lambda each: f"({each[0]} in {each[1]})"),
        st.tuples(LISTS, st.sampled_from(["all", "exists", "exists_one"]), INTS).map(
            lambda each: f"{each[0]}.{each[1]}(x, x > {each[2]})"
        ),
        st.tuples(TEXTS, st.sampled_from(["contains", "startsWith", "endsWith"]), TEXTS).map(
            lambda each: f"{each[0]}.{each[1]}({each[2]})"
        ),
    ),
    conditions,
    max_leaves=5,
)
MADE: Final = st.one_of(
    BOOLS,
    INTS,
    st.tuples(LISTS, INTS).map(lambda each: f"{each[0]}.map(x, x * {each[1]})"),
    st.tuples(LISTS, INTS).map(lambda each: f"{each[0]}.filter(x, x > {each[1]})"),
    st.tuples(LISTS, INTS).map(lambda each: f"{each[0]}[?{each[1]}].orValue(5)"),
    st.tuples(LISTS, INTS).map(lambda each: f"[?{each[0]}[?{each[1]}], 3]"),
    st.tuples(LISTS, INTS).map(lambda each: f"{{?'a': {each[0]}[?{each[1]}], 'b': 1}}"),
)


@given(MADE)
def test_an_expression_gives_what_the_oracle_gives(text: str) -> None:
    assert ours(text) == theirs(text), text


@pytest.mark.parametrize(
    "text",
    [
        "[?optional.none(), 1, ?optional.of(2)]",
        "{?'a': optional.of(1), ?'b': optional.none()}",
        "[?1]",
        "{?'a': 1}",
        "[1, 2].first().value()",
        "[1, 2].last().value()",
        "[].first().hasValue()",
        "optional.of(1) == null",
        "optional.none() == null",
        "optional.of(null) == optional.of(null)",
        "type(timestamp('2026-01-01T00:00:00Z')) == google.protobuf.Timestamp",
        "type(duration('1s')) == google.protobuf.Duration",
        "timestamp('2026-01-01T00:00:00Z') == null",
        "1 == null",
        "'a' == null",
        "has({'a': 1}.a) && !has({'a': 1}.b)",
        "1 / 0 == 1 || true",
        "1 / 0 == 1 && true",
        "[1, 1.0, 2u].exists(x, x == 2)",
        "{1: 'a', 2: 'b'}[2]",
        "'ä€😀'.size()",
        "b'abc'.size()",
        "'abc'.substring(1)",
        "'a b c'.split(' ', 2)",
        "int('12') + int(2.9)",
        "int('x')",
        "string(1.0)",
        "string(1e30)",
        "double('1e3')",
        "dyn([1, 'a'])[1]",
        "dyn(1) + dyn(2)",
        "dyn('a') < dyn(1)",
        "9223372036854775807 + 1",
        "-(-9223372036854775807 - 1)",
        "'abc'.matches('^a.c$')",
    ],
)
def test_it_agrees_about_what_is_special(text: str) -> None:
    assert ours(text) == theirs(text)
