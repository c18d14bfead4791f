"""The options of a log, as strangers write them into a query."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from pilotfish.node.streaming.http1 import BadRequest, parse_request
from pilotfish.node.streaming.log_query import log_options


def request(query: str) -> bytes:
    return f"GET /containerLogs/a/b/c?{query} HTTP/1.1\r\n\r\n".encode()


@pytest.mark.parametrize(
    "query",
    [
        "sinceSeconds=" + "9" * 5000,
        "sinceSeconds=9223372036854775808",
        "tailLines=" + "9" * 30,
        "limitBytes=x",
        "sinceSeconds=" + quote("²"),
        "sinceTime=0001-01-01T00:00:00%2B23:59",
        "sinceTime=yesterday",
    ],
)
def test_what_is_no_number_or_time_is_refused(query: str) -> None:
    with pytest.raises(BadRequest):
        log_options(parse_request(request(query)))


def test_as_many_seconds_as_64_bits_hold_are_all_time() -> None:
    options = log_options(parse_request(request("sinceSeconds=9223372036854775807")))
    assert options.since is not None and options.since.year < 1100
