"""Kubernetes' libraries of functions, called as its documentation does."""

from __future__ import annotations

import pytest

from pilotfish.cel.compiler import Compiler
from pilotfish.cel.environment import Environment
from pilotfish.cel.errors import EvaluationError, ExpressionError, TooLongError
from pilotfish.cel.libraries.kubernetes import FUNCTIONS, TYPES
from pilotfish.cel.parser import parse

ENVIRONMENT = Environment({}, FUNCTIONS, 1000, types=TYPES, has_extensions=True)


def value(text: str) -> object:
    return Compiler(text, ENVIRONMENT).compile(parse(text)).run({})


@pytest.mark.parametrize(
    "text",
    [
        # strings
        "'hello mellow'.indexOf('ello', 2) == 7 && 'a'.indexOf('b') == -1",
        "'hello mellow'.lastIndexOf('ello', 6) == 1",
        "['a', 'b'].join() == 'ab' && ['a', 'b'].join(', ') == 'a, b'",
        "'TacoCÆt'.lowerAscii() == 'tacocÆt' && 'aæ'.upperAscii() == 'Aæ'",
        "'hello hello'.replace('he', 'we', 1) == 'wello hello'",
        "'a b c'.split(' ', 2) == ['a', 'b c'] && 'ab'.split('') == ['a', 'b']",
        "'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco'",
        "'  \\ttrim\\n '.trim() == 'trim' && 'abc'.charAt(2) == 'c'",
        "'%s: %d of %.1f, %x'.format(['a', 1, 2.5, 255]) == 'a: 1 of 2.5, ff'",
        "'%s'.format([['x', 1]]) == '[x, 1]' && '100%%'.format([]) == '100%'",
        # lists
        "[1, 2, 2].isSorted() && !['b', 'a'].isSorted()",
        "[1, 3].sum() == 4 && [1.0].sum() == 1.0 && [duration('1m')].sum() == duration('60s')",
        "[3, 1].min() == 1 && ['a', 'c', 'b'].max() == 'c'",
        "[1, 2, 2].indexOf(2) == 1 && [1, 2, 2].lastIndexOf(2) == 2 && [1].indexOf(3) == -1",
        "[1, 2].includes(2) && ![1, 2].includes(4) && 'a'.includes('a') && !'ab'.includes('a')",
        "[1.0].includes(1) && !['1'].includes(1) && [[1]].includes([1])",
        "sets.contains([1, 2], [2, 2]) && sets.equivalent([1, 2], [2, 1, 1])",
        "sets.intersects([1], [1, 2]) && !sets.intersects([1], [])",
        # regular expressions
        "'abc 123'.find('[0-9]+') == '123' && 'abc'.find('[0-9]') == ''",
        "'123 abc 456'.findAll('[0-9]+') == ['123', '456']",
        "'123 abc 456'.findAll('[0-9]+', 1) == ['123']",
        # URLs
        "url('https://user@example.com:80/a b'.replace(' ', '%20')).getHost() == 'example.com:80'",
        "url('https://[::1]:80/').getHostname() == '::1' && url('/a').getScheme() == ''",
        "url('https://e.com/p q'.replace(' ', '%20')).getEscapedPath() == '/p%20q'",
        "url('https://e.com/?k=1&k=2').getQuery()['k'] == ['1', '2']",
        "isURL('https://e.com') && !isURL('e.com') && !isURL('../a')",
        # quantities
        "isQuantity('1.3Gi') && !isQuantity('1.3GiB') && quantity('1k').asInteger() == 1000",
        "quantity('50m').add(quantity('50m')) == quantity('100m')",
        "quantity('1').sub(2).sign() == -1",
        "quantity('1M').compareTo(quantity('1Mi')) == -1 && !quantity('0.5').isInteger()",
        "quantity('500m').asApproximateFloat() == 0.5",
        "!quantity('9999999999999999999999999999999999999G').isInteger()",
        "isURL('https://e.com/a b?c=%zz') && !isURL('https://e .com/') && !isURL('/%zz')",
        # addresses
        "isIP('::1') && !isIP('1.2.3') && !isIP('::ffff:1.2.3.4') && ip.isCanonical('2001:db8::a')",
        "!ip.isCanonical('2001:DB8::A') && ip('127.0.0.1').isLoopback()",
        "ip('::').isUnspecified()",
        "ip('224.0.0.1').isLinkLocalMulticast() && ip('169.254.1.1').isLinkLocalUnicast()",
        "ip('10.0.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()",
        "isCIDR('10.0.0.1/8') && !isCIDR('10.0.0.0') && cidr('10.0.0.1/8').prefixLength() == 8",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')",
        "!cidr('10.0.0.0/8').containsIP('11.0.0.1')",
        "cidr('10.0.0.1/8').masked() == cidr('10.0.0.0/8')",
        "string(cidr('10.0.0.1/8').ip()) == '10.0.0.1'",
        # optionals
        "optional.none().orValue('x') == 'x' && optional.of(1).or(optional.of(2)).value() == 1",
        "!optional.ofNonZeroValue('').hasValue() && {'a': 1}[?'a'].value() == 1",
        "[1][?1].orValue(9) == 9 && {'a': {'b': 2}}.?a.b.orValue(0) == 2",
        "optional.of(2).optMap(x, x * 2).value() == 4",
        "optional.of({'a': 1}).optFlatMap(m, m.?b).orValue(5) == 5",
        "optional.of(1) != null && optional.none() != null",
        # loops with two variables (1.32)
        "[1, 2, 3].all(i, v, v == i + 1) && {'a': 'a'}.all(k, v, k == v)",
        "['a', 'b'].exists(i, v, i == 1 && v == 'b') && !{'a': 1}.exists(k, v, v > 1)",
        "[5, 6].existsOne(i, v, v == 5) && [5, 6].exists_one(i, v, i == 1)",
        "[1, 2].transformList(i, v, i * v) == [0, 2]",
        "[1, 2, 3].transformList(i, v, v > 1, v * 2) == [4, 6]",
        "{'a': 1, 'b': 2}.transformList(k, v, v > 1, k) == ['b']",
        "{'a': 1, 'b': 2}.transformMap(k, v, v * 2) == {'a': 2, 'b': 4}",
        "['x', 'y'].transformMap(i, v, i > 0, v) == {1: 'y'}",
        "{'a': 'x', 'b': 'y'}.transformMapEntry(k, v, {v: k}) == {'x': 'a', 'y': 'b'}",
        "{'a': 1, 'b': 2}.transformMapEntry(k, v, v > 1, {k: v}) == {'b': 2}",
        # parts and order of lists (1.34)
        "[1, 2, 3, 4].slice(1, 3) == [2, 3] && [1].slice(1, 1) == []",
        "[1, [2, [3]]].flatten() == [1, 2, [3]] && [1, [2, [3]]].flatten(2) == [1, 2, 3]",
        "[[1]].flatten(0) == [[1]] && lists.range(3) == [0, 1, 2] && lists.range(0) == []",
        "[1, 2, 1.0, true, 'a', 'a'].distinct() == [1, 2, true, 'a']",
        "[{'a': 1}, {'a': 1.0}, [1], [1u]].distinct().size() == 2",
        "[1, 2].reverse() == [2, 1] && [3, 1, 2].sort() == [1, 2, 3]",
        "[{'n': 2, 'i': 'a'}, {'n': 1, 'i': 'b'}].sortBy(e, e.n)[0].i == 'b'",
        "[1, 2].first().value() == 1 && [1, 2].last() == optional.of(2)",
        "![].first().hasValue() && [].last() == optional.none()",
        # optional items and entries
        "[?optional.of(1), ?optional.none(), 2] == [1, 2]",
        "{?'a': optional.none(), ?'b': {'x': 1}.?x} == {'b': 1}",
        "[optional.of(1), optional.none()].unwrapOpt() == [1]",
        "optional.unwrap([optional.none(), optional.of(2)]) == [2]",
        # versions (1.33)
        "semver('1.2.3').major() == 1 && semver('1.2.3').minor() == 2",
        "semver('1.2.3-rc.1+b').patch() == 3 && isSemver('0.1.0-alpha.1')",
        "!isSemver('v1.0') && isSemver('v1.0', true) && !isSemver('01.0.0') && !isSemver('1.0')",
        "semver('v01.02', true) == semver('1.2.0') && semver('1.0.0+a') == semver('1.0.0+b')",
        "semver('1.0.0-rc.2').isLessThan(semver('1.0.0-rc.11'))",
        "semver('1.0.0-1').isLessThan(semver('1.0.0-a')) && semver('1.0.0-a.1').compareTo("
        "semver('1.0.0-a')) == 1",
        "semver('1.0.0').isGreaterThan(semver('1.0.0-rc.1')) && !isSemver('1.0.0-01')",
        "!isSemver('1.0.0-') && !isSemver('1.0.0+') && !isSemver('1.0.0-é') && !isSemver('')",
        "!isSemver('99999999999999999999.0.0') && !isSemver('v1-rc', true)",
        # names of types
        "type(ip('::1')) == net.IP && type(cidr('::1/128')) == net.CIDR",
        "type(quantity('1')) == kubernetes.Quantity && type(semver('1.0.0')) == kubernetes.Semver",
        "type(timestamp('2026-01-01T00:00:00Z')) == google.protobuf.Timestamp",
        "quantity('1') != null && ip('::1') != null && duration('1s') != null",
        # quantities of many digits
        "quantity('9223372036854775806').isLessThan(quantity('9223372036854775807'))",
        "quantity('123456789012345678.123456789') != quantity('123456789012345678.123456788')",
        "quantity('1e400') == quantity('9223372036854775807') && quantity('1e-400').sign() == 1",
    ],
)  # fmt: skip
def test_they_return_what_is_documented(text: str) -> None:
    assert value(text) is True


@pytest.mark.parametrize(
    "text",
    ["[].min()", "['a', 1].max()", "quantity('1.5').asInteger()", "optional.none().value()",
     "'abc'.substring(2, 1)", "'a'.charAt(5)", "'%d'.format(['x'])", "'%s'.format([])",
     "[1].slice(-1, 0)", "[1].slice(1, 0)", "[1].slice(0, 2)", "[1].flatten(-1)",
     "lists.range(10000000)", "dyn([1, 'a']).sort()", "[{}, {}].map(x, dyn(x)).sort()",
     "[1, 2].transformMapEntry(i, v, {'a': v})", "semver('1.0')", "semver('x', true)",
     "[1, 2].sortBy(x, x == 1 ? dyn(1) : dyn('a'))", "[?dyn(1)]", "{?'a': dyn(1)}"],
)  # fmt: skip
def test_what_has_no_value_is_an_error(text: str) -> None:
    with pytest.raises(EvaluationError):
        value(text)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("ip('1.2.3')", 4),
        ("quantity('many')", 10),
        ("url('x y')", 5),
        ("[{}].sum()", 1),
        ("1.hasValue()", 1),
        ("optional.of(1).orValue('a')", 24),
        ("ip.isCanonical(1)", 16),
        ("[1].all(i, i, true)", 12),
        ("[1].all(1, i, true)", 9),
        ("[1].transformList(i, i)", 5),
        ("1.transformList(i, v, v)", 1),
        ("[1].transformMapEntry(i, v, v)", 29),
        ("{'a': 1}.sortBy(x, x)", 20),
        ("[{}].sort()", 1),
        ("[?1]", 3),
        ("{?'a': 1}", 8),
        ("net.IPs", 1),
        ("[1].unwrapOpt()", 1),
    ],
)
def test_what_cannot_be_meant_is_refused_before_it_runs(text: str, column: int) -> None:
    with pytest.raises(ExpressionError) as refused:
        value(text)
    assert refused.value.column == column


def test_a_set_of_many_items_takes_a_step_for_each() -> None:
    many = ", ".join(str(number) for number in range(20_000))
    assert value(f"sets.equivalent([{many}], [{many}].reverse())") is True
    assert value(f"[{many}].distinct().size() == 20000") is True


def test_loops_with_two_variables_have_a_bound() -> None:
    with pytest.raises(TooLongError):
        value("lists.range(2000).transformList(i, v, v)")


def test_macros_of_later_versions_are_not_in_every_language() -> None:
    filters = Environment({}, FUNCTIONS, 1000)
    for text in ("[1].transformList(i, v, v)", "[1].sortBy(x, x)", "[1].all(i, v, true)"):
        with pytest.raises(ExpressionError):
            Compiler(text, filters).compile(parse(text))
