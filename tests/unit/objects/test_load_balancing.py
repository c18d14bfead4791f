"""The annotation of a Service says how endpoints are chosen, if it says something known."""

from __future__ import annotations

import pytest

from pilotfish.objects.load_balancing import load_balancing_of, unknown_load_balancing


@pytest.mark.parametrize(
    ("said", "chosen", "unknown"),
    [
        (None, "random", None),
        ("random", "random", None),
        ("round-robin", "round-robin", None),
        ("roundrobin", "random", "roundrobin"),
        ("Round-Robin", "random", "Round-Robin"),
        ("", "random", ""),
    ],
)
def test_what_is_not_known_is_at_random_and_noticed(
    said: str | None, chosen: str, unknown: str | None
) -> None:
    annotations = {} if said is None else {"pilotfish.dev/load-balancing": said}
    service = {"kind": "Service", "metadata": {"name": "web", "annotations": annotations}}
    assert load_balancing_of(service) == chosen
    assert unknown_load_balancing(service) == unknown
