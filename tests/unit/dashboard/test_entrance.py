"""Nobody is led from the dashboard to another site."""

from __future__ import annotations

import pytest
from yarl import URL

from pilotfish.dashboard.entrance import own_target


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("/traffic?filter=a%26b", "/traffic?filter=a%26b"),
        ("/", "/"),
        ("http://evil.example/x?a=b", "/x?a=b"),
        ("http://here//evil.example/x?a=b", "/evil.example/x?a=b"),
        ("http://here////evil.example/", "/evil.example/"),
        ("http://here/\\\\evil.example/", "/%5C%5Cevil.example/"),
        ("http://here/%2F/evil.example", "/%2F/evil.example"),
    ],
)
def test_a_redirect_stays_on_this_server(asked: str, target: str) -> None:
    assert own_target(URL(asked)) == target
