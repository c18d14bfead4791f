"""Quality of service classes."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.node.qos import oom_score_adj, qos_class

FULL = {"cpu": "1", "memory": "1Gi"}


def pod(*resources: dict[str, Any]) -> dict[str, Any]:
    containers = [{"name": f"c{n}", "resources": one} for n, one in enumerate(resources)]
    return {"metadata": {"name": "p"}, "spec": {"containers": containers}}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([{}], "BestEffort"),
        ([{"limits": FULL}], "Guaranteed"),
        ([{"limits": FULL, "requests": {"cpu": "1000m", "memory": "1Gi"}}], "Guaranteed"),
        ([{"limits": FULL}, {}], "Burstable"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
        ([{"limits": FULL, "requests": {"cpu": "500m"}}], "Burstable"),
    ],
)
def test_the_class_follows_requests_and_limits(
    resources: list[dict[str, Any]], expected: str
) -> None:
    assert qos_class(pod(*resources)) == expected


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, 1000),
        ({"limits": FULL}, -997),
        ({"requests": {"memory": "256Mi"}}, 750),
        ({"requests": {"cpu": "1"}}, 999),
    ],
)
def test_who_requested_more_is_killed_later(resources: dict[str, Any], expected: int) -> None:
    one = pod(resources)
    assert oom_score_adj(one, one["spec"]["containers"][0], 1 << 30) == expected
