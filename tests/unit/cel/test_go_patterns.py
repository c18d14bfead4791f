"""Patterns: Go's syntax, matched by RE2."""

from __future__ import annotations

import pytest

from pilotfish.cel.regex import RegexError, schema_searcher


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        (r"^(?i)(a|b)?$", "B", "c"),
        (r"^(x(?i)y)z$", "xYz", "xYZ"),
        (r"^\p{L}+$", "Straße", "1"),
        (r"^\pL$", "é", "-"),
        (r"^[[:alpha:]]+$", "abc", ":alp1"),
        (r"^\Qa.b\E$", "a.b", "axb"),
        (r"^(?U)a+$", "aa", "b"),
        (r"^\x{41}$", "A", "a"),
        (r"^(?<n>a)$", "a", "b"),
        (r"^(a$)", "a", "a\n"),
        (r"^\s$", "\t", "\v"),
        (r"^\d$", "7", "\u0667"),
        (r"^[]a]$", "]", "b"),
        (r"^[^]a]$", "b", "]"),
        (r"^\p{Letter}$", "a", "1"),
        (r"^[\p{uppercase_letter}-]$", "-", "a"),
        (r"^\p{greek}$", "α", "a"),
        (r"^\p{^lu}$", "a", "A"),
        (r"^(\p{L}\p{N}){1,500}$", "a1", "a"),
        (r"^[(](?P<n>a)[)]\(\($", "(a)((", "a"),
    ],
)
def test_a_pattern_means_what_go_means(pattern: str, matching: str, other: str) -> None:
    search = schema_searcher(pattern)
    assert search(matching)
    assert not search(other)


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"(?=a)", r"(?!a)", r"(?<=a)", r"(?<!a)", r"(a)\1", r"a++", r"(?>a)", r"a\Z"),
        *(r"a{1001}", r"(a{1000}){2}", r"\C", r"(?P<n>a)(?P<n>b)", r"(?<n>a)(?P<n>b)"),
        *(r"(?P<é>a)", r"(?P=n)", r"(?#c)", r"(?x)a", r"\u0041", r"[\z]", "(" * 1001 + ")" * 1001),
        *(r"[a", r"(", r")", r"*a", "\\", "[\\", r"\p{", r"\p{nothing}", r"[[:foo:]]"),
    ],
)
def test_go_refuses_a_pattern(pattern: str) -> None:
    with pytest.raises(RegexError):
        schema_searcher(pattern)


def test_a_pattern_of_a_schema_may_be_long() -> None:
    assert schema_searcher("|".join(f"name-{n}" for n in range(1000)))("name-999")


def test_nested_repetition_does_not_go_back_and_try_again() -> None:
    # A backtracking engine takes longer than the age of the universe for this.
    assert not schema_searcher(r"^([a-zA-Z0-9]+\.?)+$")("a" * 100_000 + "_x")
