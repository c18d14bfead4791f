"""Plain words of YAML, as go-yaml v2 reads them for Kubernetes."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pilotfish.apiserver.yaml_scalars import key_text, plain_scalar, tagged_scalar


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("y", True),
        ("N", False),
        ("Yes", True),
        ("off", False),
        ("oN", "oN"),
        ("~", None),
        ("", None),
        ("null", None),
        ("nil", "nil"),
        ("1e-05", 1e-05),
        ("1e5", 100000),
        ("8.0", 8),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5),
        ("1:30", "1:30"),
        ("190:20:30", "190:20:30"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("=", "="),
        ("0x1F", 31),
        ("-0b101", -5),
        ("0o17", 15),
        ("017", 15),
        ("08", 8),
        ("+12", 12),
        ("1_000", 1000),
        ("9223372036854775807", 2**63 - 1),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", 1.8446744073709552e19),
        ("1e400", "1e400"),
        ("1" * 5000, "1" * 5000),
        ("0x" + "f" * 5000, "0x" + "f" * 5000),
        (".inf", math.inf),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("٣", "٣"),
    ],
)
def test_a_word_is_what_kubernetes_takes_it_for(word: str, value: Any) -> None:
    found = plain_scalar(word)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("word", "tag", "value"),
    [
        ("5", "tag:yaml.org,2002:str", "5"),
        ("yes", "tag:yaml.org,2002:bool", True),
        ("5", "tag:yaml.org,2002:float", 5),
        ("5", "!mine", "5"),
    ],
)
def test_a_tag_says_what_a_word_is(word: str, tag: str, value: Any) -> None:
    assert tagged_scalar(word, tag) == value


@pytest.mark.parametrize("tag", ["int", "binary", "null"])
def test_a_word_that_its_tag_cannot_stand_for_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="!!"):
        tagged_scalar("words", f"tag:yaml.org,2002:{tag}")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (80, "80"),
        (True, "true"),
        (1.5, "1.5"),
        (1e-05, "1e-05"),
        (1234567.5, "1.2345675e+06"),
        (0.1, "0.1"),
        (math.inf, ".inf"),
    ],
)
def test_a_key_becomes_text(key: Any, text: str) -> None:
    assert key_text(key) == text


def test_null_is_no_key() -> None:
    with pytest.raises(ValueError, match="unsupported map key"):
        key_text(None)
