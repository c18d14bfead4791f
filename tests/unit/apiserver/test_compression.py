"""Who accepts gzip."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.compression import accepts_gzip


@pytest.mark.parametrize(
    ("header", "accepts"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("gzip;q=0, identity", False),
        ("gzip; q=0.000", False),
        ("identity", False),
        ("", False),
    ],
)
def test_gzip_is_named_and_not_refused(header: str, accepts: bool) -> None:
    assert accepts_gzip(header) is accepts
