"""What the tap says before the first request: where it looks, and what is not there."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.client.errors import error_of
from pilotfish.tap.watched import absent, watched


class FakeClient:
    """Knows namespace `shop` with Pod `web-1` and Service `web`; may refuse to list."""

    def __init__(self, refuses: bool = False) -> None:
        self._refuses = refuses

    async def get(self, resource: str, name: str) -> dict[str, Any]:
        assert resource == "namespaces"
        if self._refuses:
            raise error_of({"reason": "Forbidden"}, 403)
        if name != "shop":
            raise error_of({"reason": "NotFound"}, 404)
        return {"metadata": {"name": name}}

    async def list(self, resource: str, namespace: str) -> dict[str, Any]:
        if self._refuses:
            raise error_of({"reason": "Forbidden"}, 403)
        name = {"pods": "web-1", "services": "web"}[resource]
        found = namespace in ("", "shop")
        return {"items": [{"metadata": {"name": name}}] if found else []}


@pytest.mark.parametrize(
    ("namespace", "names", "filter_text", "said"),
    [
        ("shop", (), "", "watching requests in namespace shop; Ctrl-C ends"),
        ("", (), " http ", "watching requests in all namespaces where http; Ctrl-C ends"),
        ("shop", ("a", "b"), "", "watching requests of a, b in namespace shop; Ctrl-C ends"),
    ],
)
def test_it_says_where_it_looks(
    namespace: str, names: tuple[str, ...], filter_text: str, said: str
) -> None:
    assert watched(namespace, names, filter_text) == said


@pytest.mark.parametrize(
    ("namespace", "names", "said"),
    [
        ("shop", ("web", "web-1", "w.*"), []),
        ("nowhere", ("web",), ['there is no namespace "nowhere" yet']),
        ("shop", ("web", "wbe"), ['there is no Pod or Service "wbe" in namespace "shop" yet']),
        ("", ("wbe",), ['there is no Pod or Service "wbe" yet']),
        ("shop", ("(",), []),
    ],
)
async def test_it_says_what_is_not_there(
    namespace: str, names: tuple[str, ...], said: list[str]
) -> None:
    assert await absent(FakeClient(), namespace, names) == said  # type: ignore[arg-type]


async def test_what_nobody_may_list_counts_as_there() -> None:
    assert await absent(FakeClient(refuses=True), "nowhere", ("web",)) == []  # type: ignore[arg-type]
