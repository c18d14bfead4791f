"""A filter that is not sound says where, why, and what may have been meant."""

from __future__ import annotations

import contextlib

import pytest

from pilotfish.cel.regex import MAX_CHARS as MAX_REGEX_CHARS
from pilotfish.tap.filter import FilterError, compile
from pilotfish.tap.filter.language import MAX_CHARS


def error(text: str) -> FilterError:
    with pytest.raises(FilterError) as caught:
        compile(text)
    return caught.value


CASES = [
    # Names
    ("stauts_code == 200", 1, "there is no stauts_code", "status_code"),
    ("http && METHOD == 'GET'", 9, "there is no METHOD", "method"),
    ("kafka", 1, "there is no kafka", ""),
    ("src.pod.nmae == 'x'", 9, "Pod has no field nmae", "name"),
    ("dst.srvice.name == 'x'", 5, "Peer has no field srvice", "service"),
    ("node['nam'] == 'x'", 6, "Node has no field nam", "name"),
    ("request.heders['a'] == ''", 9, "Request has no field heders", "headers"),
    ("has(src.pood)", 9, "Peer has no field pood", "pod"),
    ("method.contain('x')", 8, "there is no function contain", "contains"),
    ("sise(path) > 1", 1, "there is no function sise", "size"),
    ("[1].exist(x, x > 0)", 5, "there is no function exist", "exists"),
    ("size == 1", 1, "size is a function", ""),
    ("[1].exists(x, y > 0)", 15, "there is no y", ""),
    ("protocol == 'HTTP'", 13, '"HTTP" is none of http', '"http"'),
    ("protocol in ['dsn']", 13, '"dsn" is none of', '"dns"'),
    # Types
    ("status_code == '200'", 16, "int is compared with string", "200"),
    ("'200' != status_code", 1, "int is compared with string|string is compared with int", "200"),
    ("path == 5", 9, "string is compared with int", '"5"'),
    ("timestamp > '2026-01-01T00:00:00Z'", 13, "> is not for", "timestamp('2026-01-01T00:00:00Z')"),
    ("timestamp > now() - '5m'", 21, "- is not for", "duration('5m')"),
    ("error == 'true'", 10, "bool is compared with string", "true"),
    ("status_code >= '500'", 16, ">= is not for int and string", "500"),
    ("path + 1 == ''", 8, r"\+ is not for string and int", '"1"'),
    ("1 + 1.0 == 2.0", 3, r"\+ is not for int and double", ""),
    ("status_code", 1, "a filter is true or false", "status_code > 0"),
    ("http && src.pod.name", 17, "each side of && is true or false", 'src.pod.name != ""'),
    ("!path", 2, "what ! turns round", 'path != ""'),
    ("src", 1, "this is of type Peer", ""),
    ("-path == 'a'", 1, "- is not for string", ""),
    ("path.name == 'x'", 6, "a string has no fields", ""),
    ("path[0] == 'x'", 6, "a string cannot be indexed", ""),
    ("[1]['a'] == 1", 5, "a list is indexed by an int", ""),
    ("request.headers[1] == ''", 17, "the keys of this map are of type string", ""),
    ("map_get(request.headers, 1, '') == ''", 26, "the keys of this map", ""),
    ("src[path] == ''", 5, "a field of Peer is named by a string", ""),
    ("'a' in path", 5, "in looks into a list or a map", "path.contains('a')"),
    ("1 in dns_questions", 1, "the items are of type string", ""),
    ("true ? 1 : 'a'", 12, "one choice is of type int", ""),
    ("{1.5: 2}.size() == 1", 2, "a double cannot be the key", ""),
    ("path.exists(x, true)", 1, "exists goes through a list or a map", ""),
    ("[1].exists(x, x)", 15, "the condition is true or false", "x > 0"),
    ("[1].exists(1, true)", 12, "the first argument names the item", ""),
    ("[1].exists(x)", 5, "it is called as ….exists", ""),
    ("path.startsWith(1)", 17, "startsWith is for string, not for int", ""),
    ("path.startsWith()", 6, "startsWith takes 1 arguments", ""),
    ("startsWith(path, 'a')", 1, "it is called as ….startsWith", ""),
    ("path.map_get('a')", 6, "it is called as map_get", ""),
    ("has(http)", 1, r"has\(\) asks for a field", ""),
    ("http == null", 9, "bool is compared with null_type", ""),
    ("timestamp > timestamp(9223372036854775807)", 23, "timestamp out of range", ""),
    ("timestamp > timestamp('soon')", 23, "a timestamp looks like", ""),
    ("timestamp > timestamp('2026-02-30T00:00:00Z')", 23, "there is no such time", ""),
    ("now() - duration('5 minutes') < now()", 18, "a duration looks like", ""),
    ("path.matches('(')", 14, "no regular expression", ""),
    (f"path.matches('{'a' * (MAX_REGEX_CHARS + 1)}')", 14, "at most", ""),
    # Syntax
    ("method = 'GET'", 8, "= has no meaning here", "=="),
    ("http and dns", 6, "and has no meaning here", "&&"),
    ("http & dns", 6, "& has no meaning here", "&&"),
    ("not http", 5, "http has no meaning here", ""),
    ("http && (dns", 13, "it ends too early", ""),
    ("http &&", 8, "it ends too early", ""),
    ("http)", 5, r"\) has no meaning here", ""),
    ("path == 'abc", 9, "this string has no end", ""),
    ("http @ dns", 6, "@ has no meaning here", ""),
    ("namespace == 'x'", 1, "namespace is a reserved word", ""),
    ("if(http)", 1, "if is a reserved word", ""),
    (r"path == '\d'", 9, r"\\d is no escape sequence", ""),
    (r"tcp_payload == b'\u0041'", 16, "no escape sequence of bytes", ""),
    (r"path == '\U00110000'", 9, "no character of that number", ""),
    (r"path == '\ud800'", 9, "a surrogate is no character", ""),
    ("1 < 9223372036854775808", 5, "too large for int", ""),
    ("1 < 99999999999999999999", 5, "too large for int", ""),
    ("1u < 18446744073709551616u", 6, "too large for uint", ""),
    ("Pod{name: 'x'}", 4, "{ has no meaning here", ""),
    (" " * (MAX_CHARS + 1), MAX_CHARS + 1, "at most 8192 characters", ""),
]


@pytest.mark.parametrize(("text", "column", "message", "suggestion"), CASES)
def test_it_says_where_and_why(text: str, column: int, message: str, suggestion: str) -> None:
    if not text.strip():
        text = "!" * len(text)
    found = error(text)
    assert (found.line, found.column) == (1, column)
    assert found.suggestion == suggestion
    with pytest.raises(FilterError, match=message):
        raise found


def test_the_place_is_shown() -> None:
    assert str(error("http &&\n  stauts_code == 200 &&\n  dns")) == (
        "line 2, column 3: there is no stauts_code; did you mean status_code?\n"
        "    stauts_code == 200 &&\n"
        "    ^^^^^^^^^^^"
    )


def test_of_a_long_line_the_place_is_shown() -> None:
    shown = str(error(" || ".join(["http"] * 400) + " || htpt" + " || http" * 400)).splitlines()
    assert max(map(len, shown)) < 130
    caret = shown[2].index("^")
    assert shown[1][caret : caret + 4] == "htpt"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4000 + "true" + ")" * 4000,
        "!" * 8000 + "true",
        "-" * 8000 + "1",
        "[" * 8000,
        '"' * 8191,
        "'" * 3 + "\\" * 8000,
        "a." * 4000 + "b",
        "1+" * 4000 + "1",
        "true?true:" * 800 + "true",
        "f(" * 4000,
        "x" * 8192,
    ],
)
def test_what_is_extreme_is_refused_or_taken_but_does_no_harm(text: str) -> None:
    with contextlib.suppress(FilterError):
        assert compile(text).matches({}) in (True, False)


def test_what_is_shown_does_no_harm_to_a_terminal() -> None:
    assert "\x1b" not in str(error("http \x1b[31m"))


def test_nothing_runs_before_everything_is_checked() -> None:
    assert "nonsense" in str(error("false && nonsense"))
    assert "nonsense" in str(error("true ? http : nonsense"))
