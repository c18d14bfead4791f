"""Whatever is written: a filter or a FilterError, and what is well typed never fails otherwise."""

from __future__ import annotations

import contextlib
import re
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from pilotfish.cel.compiler import Compiler
from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.parser import parse
from pilotfish.cel.types import Type, accepts
from pilotfish.cel.values import MAX_INT, MIN_INT, Uint, type_of
from pilotfish.tap.filter import FilterError, compile, complete, variables
from pilotfish.tap.filter.dialect import ENVIRONMENT, FUNCTIONS
from support.exchanges import grpc, http, look_up, redis, whole

ENTRIES = [whole(each) for each in (http(), grpc(5), look_up("10.0.0.1"), redis(b":1\r\n", b"a"))]

TOKENS = [
    *"()[]{}.,:?!+-*/%<>&|='\"\\\n \t",
    *("&&", "||", "==", "!=", "<=", ">=", " in ", "true", "null", "1", "2u", "1.5", "'a'", 'b"x"'),
    *("r'\\'", '"""', "0x", "1e", "//", "\u00e9", "\x00", "has(", "x", ".exists(x, ", ".map(x, "),
    *(each.name for each in variables()),
    *(f"{name}(" for name in FUNCTIONS),
    *(".pod", ".name", ".headers", "['a']", "[0]", "9223372036854775808", "dyn("),
]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(TOKENS), max_size=25).map("".join)))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    try:
        made = compile(text)
    except FilterError as error:
        assert str(error)
        assert error.line >= 1
        assert error.column >= 1
        return
    for entry in ENTRIES:
        assert made.matches(entry) in (True, False)


@given(st.lists(st.sampled_from(TOKENS), max_size=12).map("".join), st.integers(-1, 100))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_completed(text: str, cursor: int) -> None:
    for each in complete(text, cursor):
        assert 0 <= each.start <= max(cursor, 0)


# --- expressions that are well typed, by construction ---------------------------------------

INTS = st.one_of(
    st.integers(MIN_INT, MAX_INT).map(str),
    st.sampled_from(["status_code", "elapsed_time", "src.port", "size(path)", "request.size"]),
)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False).map(lambda each: f"{each:.17e}")
STRINGS = st.one_of(
    st.text("ab.*(\u00e9", max_size=4).map(lambda each: f'"{each}"'),
    st.sampled_from(["method", "path", "dst.service.name", "src.pod.namespace", "request.body"]),
)
BOOLS = st.sampled_from(["http", "dns", "error", "true", "false", "has(dst.pod)"])
TIMES = st.sampled_from(["timestamp", "now()", "timestamp('2026-03-14T22:00:00Z')"])
SPANS = st.sampled_from(["duration('1h')", "duration('-5ms')", "timestamp - now()"])
BY_TYPE = {
    "int": INTS,
    "double": DOUBLES,
    "string": STRINGS,
    "bool": BOOLS,
    "timestamp": TIMES,
    "duration": SPANS,
}


MAX_DEPTH = 4


@cache
def expressions(kind: str, depth: int = MAX_DEPTH) -> st.SearchStrategy[str]:
    """Expressions of a type, that lie at most so deep within one another."""
    if not depth:
        return BY_TYPE[kind]

    def made(template: str, *kinds: str) -> st.SearchStrategy[str]:
        """`template` with an expression of each of these types in its place."""
        parts = [expressions(each, depth - 1) for each in kinds]
        return st.tuples(*parts).map(lambda texts: template.format(*texts))

    def same(template: str) -> list[st.SearchStrategy[str]]:
        return [made(template, each, each) for each in BY_TYPE]

    ways = {
        "bool": [
            *same("({}) == ({})"),
            *same("({}) < ({})"),
            *same("({}) in [{}]"),
            made("({}) && ({})", "bool", "bool"),
            made("({}) || ({})", "bool", "bool"),
            made("!({})", "bool"),
            made("path.matches(({}) + '')", "string"),
            made("({}).contains({})", "string", "string"),
            made("({}) in request.headers", "string"),
            made("[{}, {}].exists(x, x > 0 && ({}))", "int", "int", "bool"),
            made("[{}].all(x, x != ({}) || ({}))", "string", "string", "bool"),
        ],
        "int": [
            *(made(f"({{}}) {sign} ({{}})", "int", "int") for sign in "+-*/%"),
            made("-({})", "int"),
            made("size({})", "string"),
            made("int({})", "string"),
            made("int({})", "double"),
            made("({}).getHours()", "timestamp"),
            made("({}).getSeconds()", "duration"),
            made("[{}, {}].map(x, x + 1)[{}]", "int", "int", "int"),
        ],
        "double": [
            *(made(f"({{}}) {sign} ({{}})", "double", "double") for sign in "+-*/"),
            made("double({})", "int"),
            made("double({})", "string"),
        ],
        "string": [
            made("({}) + ({})", "string", "string"),
            made("request.headers[{}]", "string"),
            made("map_get(src.pod.labels, {}, {})", "string", "string"),
            *(made("string({})", each) for each in BY_TYPE),
        ],
        "timestamp": [made("({}) + ({})", "timestamp", "duration"), made("timestamp({})", "int")],
        "duration": [
            made("({}) - ({})", "duration", "duration"),
            made("({}) - ({})", "timestamp", "timestamp"),
        ],
    }
    choice = made("({}) ? ({}) : ({})", "bool", kind, kind)
    return st.one_of(BY_TYPE[kind], choice, *ways[kind])


TYPED = st.sampled_from(list(BY_TYPE)).flatmap(
    lambda kind: expressions(kind).map(lambda text: (kind, text))
)


@given(TYPED)
@settings(max_examples=200, deadline=None)
def test_what_is_well_typed_has_a_value_of_its_type_or_is_an_error(typed: tuple[str, str]) -> None:
    kind, text = typed
    try:
        compiled = Compiler(text, ENVIRONMENT).compile(parse(text))
    except FilterError as error:
        # What is written out is looked at before.
        assert re.match("no regular|a regular|timestamp out of range|a filter has", error.message)
        return
    assert accepts(Type(kind), compiled.type)
    for entry in ENTRIES:
        with contextlib.suppress(EvaluationError):
            value = compiled.run(entry)
            assert type_of(value).name == kind
            if kind == "int":
                assert MIN_INT <= value <= MAX_INT
            assert not isinstance(value, Uint)
