"""Expressions have the values that CEL's language definition gives them.

https://github.com/google/cel-spec/blob/master/doc/langdef.md; what follows is
written after it, section by section.
"""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.cel.compiler import Compiler
from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.parser import parse
from pilotfish.tap.filter import FilterError, compile
from pilotfish.tap.filter.dialect import ENVIRONMENT, MAX_STEPS


def value(text: str) -> Any:
    """What an expression is, of an entry that has nothing."""
    typed = Compiler(text, ENVIRONMENT).compile(parse(text))
    return typed.run({"protocol": "http"})


TRUE = [
    # Literals
    "1 == 0x1 && 17u == 0x11u && -1 == -0x1",
    "1.5 == 15e-1 && .5 == 0.5 && 1e3 == 1000.0 && 1.5E+2 == 150.0",
    "9223372036854775807 > 0 && -9223372036854775808 < 0 && 18446744073709551615u > 0u",
    r"""'a"b' == "a\"b" && "it's" == 'it\'s' && "" == ''""",
    '''"""a "quoted" word""" == 'a "quoted" word' ''',
    "'''two\nlines''' == 'two\\nlines'",
    r"""r"\d" == "\\d" && R'\' == "\\" """,
    r"""r'''\"''' == "\\\"" """,
    r'''"\a\b\f\n\r\t\v\\\?\"\'\`" == "\x07\x08\x0c\x0a\x0d\x09\x0b\x5c\x3f\x22\x27\x60"''',
    r'''"\u00e9" == "é" && "\U0001F600" == "😀" && "\101" == "A" && "\xe9" == "é"''',
    r"""b"abc" == b'\x61\142c' && b"\377" == b"\xff" && b"é" == b"\303\251" """,
    r'''br"\x" == b"\\x" && b"""a"b""" == b'a"b' ''',
    "true && !false && null == null",
    "// a comment\n  true // another one",
    # Precedence and association
    "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 10 - 4 - 3 == 3 && 24 / 4 / 2 == 3",
    "true || false && false",
    "!true == false || !!true",
    "-(-3) == 3 && --3 == 3 && 2 - -2 == 4",
    "true ? (false ? false : true) : false",
    "false ? 1 == 2 : true ? true : false",
    "1 < 2 == true",
    # Arithmetic
    "7 / 2 == 3 && -7 / 2 == -3 && 7 / -2 == -3 && -7 % 2 == -1 && 7 % -2 == 1",
    "7u / 2u == 3u && 7u % 4u == 3u && 7.0 / 2.0 == 3.5",
    "1.0 / 0.0 > 1e308 && -1.0 / 0.0 < -1e308 && !(0.0 / 0.0 == 0.0 / 0.0)",
    "'a' + 'b' == 'ab' && b'a' + b'b' == b'ab' && [1] + [2] == [1, 2]",
    # Equality and order
    "1 == 1.0 && 1u == 1 && 1 != 2 && 1 < 1.5 && 2u > 1 && 1.0 <= 1u",
    "9007199254740993 != 9007199254740992.0",
    "'a' < 'b' && 'Z' < 'a' && 'é' > 'z' && b'a' < b'b' && false < true",
    "[1, 2] == [1, 2] && [1, 2] != [2, 1] && [[1]] == [[1]] && [1] != [1, 1]",
    "{'a': 1, 'b': 2} == {'b': 2, 'a': 1} && {'a': 1} != {'a': 2} && {1: 'a'} != {2: 'a'}",
    "dyn(1) == dyn(1.0) && dyn(1) != dyn('1') && dyn(true) != dyn(1) && [1, true] != [1, 1]",
    "dyn([1]) == dyn([1.0]) && dyn(null) != dyn(false)",
    # Lists and maps
    "2 in [1, 2] && !(3 in [1, 2]) && 'a' in {'a': 1} && !('b' in {'a': 1}) && 1 in [1.0, 2.0]",
    "!(1 in []) && dyn('a') in ['a', 1] && !(dyn(true) in [1])",
    "[5, 6][1] == 6 && {'a': 1}['a'] == 1 && {'a': 1}.a == 1 && {1: 'x', 2u: 'y'}[2u] == 'y'",
    "[1, 2,] == [1, 2] && {'a': 1,} == {'a': 1} && [] == []",
    "{true: 'yes', false: 'no'}[1 < 2] == 'yes'",
    "!(dyn(1) in {true: 'a'})",
    # Logic absorbs errors
    "true || 1 / 0 == 1",
    "1 / 0 == 1 || true",
    "!(false && 1 / 0 == 1)",
    "!(1 / 0 == 1 && false)",
    "1 / 0 == 1 || 2 / 0 == 1 || true",
    "true || [1][5] == 1 || {'a': 1}['b'] == 1",
    "true ? true : 1 / 0 == 1",
    "dyn(1) == 1 || dyn('x') < 1",
    # Macros
    "[1, 2, 3].all(x, x > 0) && ![1, -2].all(x, x > 0) && [].all(x, x > 0)",
    "[1, 2, 3].exists(x, x == 2) && ![1].exists(x, x == 2) && ![].exists(x, true)",
    "[1, 2, 3].exists_one(x, x > 2) && ![1, 2].exists_one(x, x > 0) && [3].existsOne(x, x > 2)",
    "[1, 2, 3].map(x, x * 2) == [2, 4, 6] && [1, 2, 3].map(x, x > 1, x * 2) == [4, 6]",
    "[1, 2, 3].filter(x, x % 2 == 1) == [1, 3]",
    "{'a': 1, 'b': 2}.all(k, k < 'c') && {'a': 1}.map(k, k + '!') == ['a!']",
    "[1, 0].exists(x, 1 / x == 1) && ![0, 1].all(x, 1 / x > 1)",
    "[[1, 2], [3]].map(l, l.map(x, x + 1)) == [[2, 3], [4]]",
    "[1, 2].exists(x, [3].exists(x, x == 3) && x == 2)",
    "[1, 2].map(x, [10, 20].map(y, x * y)) == [[10, 20], [20, 40]]",
    "has({'a': 1}.a) && !has({'a': 1}.b)",
    "['a'].exists(http, http == 'a') && http",
    # Functions
    "size('é😀') == 2 && size(b'é') == 2 && [1, 2].size() == 2 && size({'a': 1}) == 1",
    "'hello'.contains('ell') && 'hello'.startsWith('he') && 'hello'.endsWith('lo')",
    "'hello'.matches('^h.*o$') && matches('hello', 'l+') && !'hello'.matches('^ell')",
    "'x\\ny'.matches('(?s)x.y') && 'É'.matches('(?i)é')",
    "int(3.9) == 3 && int(-3.9) == -3 && int('-12') == -12 && int(7u) == 7",
    "int(timestamp('1970-01-01T00:01:00Z')) == 60",
    "uint(3) == 3u && uint('4') == 4u && double('1.5') == 1.5 && double(2) == 2.0",
    "string(1) == '1' && string(1u) == '1' && string(true) == 'true' && string(b'a') == 'a'",
    "string(1.5) == '1.5' && string(2.0) == '2' && bytes('é') == b'é'",
    "bool('true') && !bool('false') && bool(true)",
    "type(1) == int && type(1u) == uint && type('a') == string && type(null) == null_type",
    "type([]) == list && type({}) == map && type(1.0) == double && type(type(1)) == type",
    "type(b'') == bytes && type(true) == bool && type(1) != type(1.0)",
    "map_get({'a': 1}, 'a', 0) == 1 && map_get({'a': 1}, 'b', 7) == 7",
    # Times
    "timestamp('2026-03-14T22:00:00Z') == timestamp('2026-03-14T23:00:00+01:00')",
    "timestamp('2026-03-14T22:00:00Z') + duration('1h30m') == timestamp('2026-03-14T23:30:00Z')",
    "timestamp('2026-03-14T22:00:01Z') - timestamp('2026-03-14T22:00:00Z') == duration('1s')",
    "duration('1m') + duration('30s') == duration('90s') && duration('1s') - duration('2s') < "
    "duration('0s')",
    "duration('1.5s') == duration('1500ms') && duration('-1us') == duration('-1000ns')",
    "string(duration('1h')) == '3600s' && string(duration('1.5s')) == '1.5s'",
    "string(timestamp('2026-03-14T22:00:00.250Z')) == '2026-03-14T22:00:00.25Z'",
    "timestamp(60) == timestamp('1970-01-01T00:01:00Z')",
    "timestamp('2026-03-14T22:05:07.123Z').getFullYear() == 2026",
    "timestamp('2026-03-14T22:05:07.123Z').getMonth() == 2",
    "timestamp('2026-03-14T22:05:07.123Z').getDate() == 14",
    "timestamp('2026-03-14T22:05:07.123Z').getDayOfMonth() == 13",
    "timestamp('2026-03-14T22:05:07.123Z').getDayOfWeek() == 6",
    "timestamp('2026-01-01T00:00:00Z').getDayOfYear() == 0",
    "timestamp('2026-03-14T22:05:07.123Z').getHours() == 22",
    "timestamp('2026-03-14T22:05:07.123Z').getHours('+05:30') == 3",
    "timestamp('2026-03-14T22:05:07.123Z').getMinutes('-00:30') == 35",
    "timestamp('2026-03-14T22:05:07.123Z').getSeconds() == 7",
    "timestamp('2026-03-14T22:05:07.123Z').getMilliseconds() == 123",
    "duration('3h30m').getHours() == 3 && duration('3h30m').getMinutes() == 210",
    "duration('90.5s').getSeconds() == 90 && duration('123.321s').getMilliseconds() == 321",
    "now() > timestamp('2026-01-01T00:00:00Z')",
    # What is not checked before is checked late
    "dyn(1) + 2 == 3 && dyn('a') + 'b' == 'ab' && dyn('abc').contains('b') && -dyn(2) == -2",
    "dyn([1, 2])[1] == 2 && dyn({'a': 1}).a == 1 && dyn([1, 2]).exists(x, x == 2)",
    "size(dyn('abc')) == 3 && size(dyn([1])) == 1",
]

ERRORS = [
    "1 / 0",
    "1 % 0",
    "1u / 0u",
    "9223372036854775807 + 1",
    "-9223372036854775808 - 1",
    "9223372036854775807 * 2",
    "-(-9223372036854775808)",
    "-9223372036854775808 / -1",
    "1u - 2u",
    "18446744073709551615u + 1u",
    "[1][1]",
    "[1][-1]",
    "{'a': 1}['b']",
    "{'a': 1}.b",
    "{'a': 1, 'a': 2}",
    "true && 1 / 0 == 1",
    "1 / 0 == 1 && true",
    "false || 1 / 0 == 1",
    "1 / 0 == 1 || false",
    "1 / 0 == 1 || false || false",
    "[0, 1].all(x, 1 / x >= 1)",
    "[0].exists(x, 1 / x == 1)",
    "[0, 1].exists_one(x, 1 / x == 1)",
    "[1, 0].map(x, 1 / x)",
    "1 / 0 == 1 ? true : true",
    "int('x')",
    "int('1_0')",
    "int(1e300)",
    "int(0.0 / 0.0)",
    "int(18446744073709551615u)",
    "uint(-1)",
    "double('x')",
    "bool('maybe')",
    "string(b'\\xff')",
    "duration('80000000h') + duration('80000000h') > duration('1h')",
    "timestamp('9999-12-31T23:59:59Z') + duration('1s')",
    "timestamp('2026-01-01T00:00:00Z').getHours('Nowhere/City')",
    "timestamp('2026-01-01T00:00:00Z').getHours('+99:99')",
    "timestamp('0001-01-01T00:00:00Z').getHours('-01:00')",
    "dyn(1) + 'a'",
    "dyn(1).contains('a')",
    "dyn(1) && true",
    "dyn(1) < 'a'",
    "dyn(1).a",
    "dyn(1)[0]",
    "dyn(1) in dyn(2)",
    "has(dyn(1).a)",
    "dyn(1).exists(x, true)",
    "{dyn(1.5): 1}",
    "['('].exists(p, 'a'.matches(p))",
]


@pytest.mark.parametrize("text", TRUE)
def test_it_is_true(text: str) -> None:
    assert value(text) is True


@pytest.mark.parametrize("text", ERRORS)
def test_it_has_no_value(text: str) -> None:
    with pytest.raises(EvaluationError):
        value(text)


def test_an_entry_for_which_the_filter_has_no_value_does_not_match() -> None:
    assert not compile("1 / 0 == 1").matches({})
    assert not compile("!(1 / 0 == 1)").matches({})


def test_an_empty_filter_matches_everything() -> None:
    for text in ("", "  \n"):
        assert compile(text).matches({})


def test_now_is_when_the_filter_was_made() -> None:
    made = compile("now() == now()")
    moment = Compiler("now()", ENVIRONMENT).compile(parse("now()"))
    assert moment.run({}) == moment.run({})
    assert made.text == "now() == now()"


def test_loops_are_bounded_for_each_entry() -> None:
    items = f"[{', '.join(map(str, range(30)))}]"
    text = f"{items}.all(a, {items}.all(b, {items}.all(c, a + b + c >= 0)))"
    assert MAX_STEPS < 30**3
    assert not compile(text).matches({})
    within = compile(f"{items}.all(a, {items}.all(b, a + b >= 0))")
    for _ in range(2 * MAX_STEPS // 900):
        assert within.matches({})


def test_results_are_bounded() -> None:
    doubled = "'" + "x" * 1000 + "'"
    for _ in range(15):
        doubled = f"[{doubled}].map(a, a + a)[0]"
    with pytest.raises(EvaluationError):
        value(doubled)


def test_regular_expressions_take_linear_time() -> None:
    made = compile(f"{'a' * 30!r}.matches('^(a+)+$') && !('{'a' * 5000}b'.matches('^(a+)+$'))")
    assert made.matches({})


def test_long_chains_are_not_deep() -> None:
    many = " || ".join(f"'{n}' == 'x'" for n in range(500))
    assert compile(f"{many} || true").matches({})
    with pytest.raises(FilterError, match="within one another"):
        compile("(" * 100 + "1" + " + 1)" * 100 + " == 1")
