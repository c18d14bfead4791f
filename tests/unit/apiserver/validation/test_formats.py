"""Formats of names, numbers and addresses."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.validation import formats


@pytest.mark.parametrize("text", ["a", "a-b", "1a", "a" * 63])
def test_labels_that_are_good(text: str) -> None:
    assert formats.dns_label(text) == ""


def test_a_label_has_no_dots() -> None:
    assert formats.dns_label("a.b") == "must not contain dots"


@pytest.mark.parametrize("text", ["", "A", "-a", "a-", "a\n"])
def test_labels_that_are_bad(text: str) -> None:
    assert formats.dns_label(text).startswith("a lowercase RFC 1123 label must consist of")


def test_a_long_label_is_only_too_long() -> None:
    assert formats.dns_label("a" * 64) == "must be no more than 63 bytes"


@pytest.mark.parametrize("text", ["a.b", "example.com", "1.2.3"])
def test_subdomains_that_are_good(text: str) -> None:
    assert formats.dns_subdomain(text) == ""


@pytest.mark.parametrize("text", ["a..b", ".a", "a_b", "A.b"])
def test_subdomains_that_are_bad(text: str) -> None:
    assert formats.dns_subdomain(text)


@pytest.mark.parametrize("text", ["a", "App", "example.com/name", "a_b.c-d"])
def test_keys_that_are_good(text: str) -> None:
    assert formats.qualified_name(text) == ""


@pytest.mark.parametrize("text", ["", "a b", "/a", "a/", "a/b/c", "EX/a", "a" * 64])
def test_keys_that_are_bad(text: str) -> None:
    assert formats.qualified_name(text)


@pytest.mark.parametrize("text", ["http", "a-1", "8080-tcp"])
def test_port_names_that_are_good(text: str) -> None:
    assert formats.port_name(text) == ""


@pytest.mark.parametrize("text", ["80", "a--b", "-a", "HTTP", "a" * 16, ""])
def test_port_names_that_are_bad(text: str) -> None:
    assert formats.port_name(text)


@pytest.mark.parametrize(
    ("text", "family"),
    [("10.0.0.1", "IPv4"), ("fd00::1", "IPv6"), ("10.0.0", ""), ("010.0.0.1", ""), ("x", "")],
)
def test_families_of_addresses(text: str, family: str) -> None:
    assert formats.family(text) == family
