"""Kubernetes' libraries of functions, called as its documentation does."""

from __future__ import annotations

import pytest

from pilotfish.cel.compiler import Compiler
from pilotfish.cel.environment import Environment
from pilotfish.cel.errors import EvaluationError, ExpressionError
from pilotfish.cel.libraries.kubernetes import FUNCTIONS
from pilotfish.cel.parser import parse

ENVIRONMENT = Environment({}, FUNCTIONS, 1000)


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
    ],
)  # fmt: skip
def test_they_return_what_is_documented(text: str) -> None:
    assert value(text) is True


@pytest.mark.parametrize(
    "text",
    ["[].min()", "['a', 1].max()", "quantity('1.5').asInteger()", "optional.none().value()",
     "'abc'.substring(2, 1)", "'a'.charAt(5)", "'%d'.format(['x'])", "'%s'.format([])"],
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
    ],
)
def test_what_cannot_be_meant_is_refused_before_it_runs(text: str, column: int) -> None:
    with pytest.raises(ExpressionError) as refused:
        value(text)
    assert refused.value.column == column
