"""Names on the command line become a filter that can be read."""

from __future__ import annotations

import pytest

from pilotfish.tap import filter as language
from pilotfish.tap.selection import selection
from support.entries import entry


@pytest.mark.parametrize(
    ("namespace", "names", "text", "matches"),
    [
        ("", (), "", True),
        ("default", (), "", True),
        ("shop", (), "", False),
        ("", ("api",), "", True),
        ("", ("client",), "", True),
        ("", ("api-1",), "", True),
        ("", ("ap",), "", False),
        ("", ("ap.*",), "", True),
        ("", ("db", "api"), "", True),
        ("default", ("api",), "status_code == 404", False),
        ("default", ("api",), "status_code == 200 || http", True),
    ],
)
def test_a_selection_matches_by_namespace_name_and_filter(
    namespace: str, names: tuple[str, ...], text: str, matches: bool
) -> None:
    chosen = language.compile(selection(namespace, names, text))
    assert chosen.matches(entry()) is matches
