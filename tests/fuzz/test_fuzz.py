"""No request makes the API server fail, hang or die: a first few of what `make fuzz` sends."""

from __future__ import annotations

from pathlib import Path

from fuzz.requests import Request, request, requests
from fuzz.running import run
from fuzz.server import fuzzed_server

_SEED = 1
_REQUESTS = 4000


def test_every_request_is_answered_with_what_it_deserves(tmp_path: Path) -> None:
    with fuzzed_server(tmp_path) as (process, path):
        outcome = run(process, path, requests(_SEED, _REQUESTS))
        assert process.poll() is None
    failures = [f"{why}\n    {each.line()[:2000]}" for each, why in outcome.failures]
    assert not failures, "\n".join(failures[:20])
    # What is sent is near enough to what is right to get past the door.
    assert outcome.codes[200] + outcome.codes[201] > _REQUESTS / 20


def test_a_seed_makes_the_same_requests_each_time() -> None:
    first = [each.line() for each in requests(3, 300)]
    assert [each.line() for each in requests(3, 300)] == first
    assert Request.of_line(first[14]) == request(3, 14)
