"""Documents are made once for all who ask, beside the event loop, and forgotten when too many."""

from __future__ import annotations

import asyncio
import threading

import pytest
from aiohttp.test_utils import make_mocked_request

from pilotfish.apiserver.documents import Documents, is_known


async def test_who_asks_at_the_same_time_gets_the_same_document() -> None:
    made: list[int] = []
    go = threading.Event()

    def make() -> bytes:
        made.append(threading.get_ident())
        go.wait(10)
        return b"document"

    documents = Documents()
    asking = [asyncio.create_task(documents.get("A", make)) for _ in range(5)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*asking) == [b"document"] * 5
    assert await documents.get("A", make) == b"document"
    assert len(made) == 1
    assert made[0] != threading.get_ident()


async def test_what_cannot_be_made_is_tried_again() -> None:
    documents = Documents()

    def fail() -> bytes:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await documents.get("A", fail)
    assert await documents.get("A", lambda: b"yes") == b"yes"


async def test_those_asked_for_longest_ago_are_forgotten_first() -> None:
    documents = Documents(most_bytes=10)
    counts = {"A": 0, "B": 0, "C": 0}

    async def get(digest: str) -> None:
        def make() -> bytes:
            counts[digest] += 1
            return b"12345"

        await documents.get(digest, make)

    for digest in ("A", "B", "A", "C", "A", "B"):
        await get(digest)
    assert counts == {"A": 1, "B": 2, "C": 1}


@pytest.mark.parametrize(
    ("header", "known"),
    [('"A"', True), ('W/"A"', True), ('"B", "A"', True), ('"B"', False), ("A", False), ("", False)],
)
def test_a_client_says_what_it_has(header: str, known: bool) -> None:
    request = make_mocked_request("GET", "/openapi/v2", headers={"If-None-Match": header})
    assert is_known(request, "A") is known
