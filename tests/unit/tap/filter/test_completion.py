"""Whoever writes a filter is told what may come next."""

from __future__ import annotations

import pytest

from pilotfish.tap import protocols
from pilotfish.tap.filter import complete


def offered(text: str) -> list[str]:
    return [each.text for each in complete(text, len(text))]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("stat", ["status_code", "status"]),
        ("http && me", ["method"]),
        ("src.", ["ip", "port", "name"]),
        ("src.po", ["port", "pod"]),
        ("dst.service.names", ["namespace"]),
        ("src.pod.owner.k", ["kind"]),
        ("(dst.pod.na", ["name", "namespace"]),
        ("path.st", ["startsWith("]),
        ('request.headers["a"].ends', ["endsWith("]),
        ('map_get(src.pod.labels, "a.b(", "").cont', ["contains("]),
        ("dns_questions.ex", ["exists(", "exists_one("]),
        ("[src, dst].fil", ["filter("]),
        ("timestamp.getH", ["getHours("]),
        ("1 + si", ["size("]),
        ("ha", ["has("]),
        ('protocol == "h', ["http"]),
        ('protocol != "', list(protocols.NAMES)),
        ("response.answers[0].d", ["data"]),
    ],
)
def test_the_likeliest_come_first(text: str, first: list[str]) -> None:
    assert offered(text)[: len(first)] == first


@pytest.mark.parametrize(
    "text", ['path == "st', "path == 'it\\'s ", "nonsense.", "src.nonsense.", "1.", "path.", ")."]
)
def test_where_nothing_fits_nothing_that_does_not_fit_is_offered(text: str) -> None:
    assert "status_code" not in offered(text)
    assert "ip" not in offered(text)


def test_a_completion_says_what_it_replaces_its_type_and_what_it_is() -> None:
    text = "http && stat == 200"
    found = complete(text, len("http && stat"))[0]
    assert (found.text, found.start, found.type) == ("status_code", 8, "int")
    assert "HTTP status" in found.doc


def test_the_call_of_a_method_leaves_out_what_stands_before_it() -> None:
    (found,) = [each for each in complete("path.starts", 11) if each.text == "startsWith("]
    assert found.type == "(string) -> bool"
    (size,) = [each for each in complete("path.si", 7) if each.text == "size("]
    assert size.type == "() -> int"


def test_a_cursor_outside_of_the_text_does_no_harm() -> None:
    assert complete("sta", -5) == complete("", 0)
    assert complete("stat", 99) == complete("stat", 4)
