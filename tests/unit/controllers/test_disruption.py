"""How many Pods of a PodDisruptionBudget may be evicted."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.controllers.disruption import share, wanted_status
from pilotfish.objects.meta import Object
from pilotfish.objects.times import now


def pods(ready: int, unready: int = 0) -> list[Object]:
    return [
        {
            "metadata": {"name": f"p{number}", "namespace": "default"},
            "spec": {},
            "status": {
                "phase": "Running",
                "conditions": [
                    {"type": "Ready", "status": "True" if number < ready else "False"},
                ],
            },
        }
        for number in range(ready + unready)
    ]


def budget(status: Object | None = None, **spec: Any) -> Object:
    metadata = {"name": "b", "namespace": "default", "generation": 3}
    return {"metadata": metadata, "spec": spec, "status": status or {}}


def owned_by_four(_pod: Object) -> tuple[str, int]:
    return "uid", 4


def unowned(_pod: Object) -> None:
    return None


@pytest.mark.parametrize(
    ("spec", "ready", "unready", "allowed"),
    [
        ({"minAvailable": 2}, 3, 0, 1),
        ({"minAvailable": 3}, 3, 0, 0),
        ({"minAvailable": 2}, 2, 1, 0),
        ({"minAvailable": "50%"}, 4, 0, 2),
        ({"maxUnavailable": 1}, 4, 0, 1),
        ({"maxUnavailable": 1}, 3, 1, 0),
        ({"maxUnavailable": "25%"}, 4, 0, 1),
        ({"maxUnavailable": "100%"}, 2, 2, 2),
    ],
)
def test_a_budget_leaves_as_many_as_it_says(
    spec: Object, ready: int, unready: int, allowed: int
) -> None:
    status = wanted_status(budget(**spec), pods(ready, unready), owned_by_four)
    assert status["disruptionsAllowed"] == allowed
    assert status["currentHealthy"] == ready
    assert status["observedGeneration"] == 3
    condition = status["conditions"][0]
    assert (condition["type"], condition["status"]) == (
        "DisruptionAllowed",
        "True" if allowed else "False",
    )


def test_an_evicted_pod_counts_no_more_before_it_is_gone() -> None:
    evicted = {"disruptedPods": {"p0": now(), "gone": now()}}
    status = wanted_status(budget(evicted, minAvailable=1), pods(3), owned_by_four)
    assert status["disruptedPods"].keys() == {"p0"}
    assert (status["currentHealthy"], status["disruptionsAllowed"]) == (2, 1)


def test_an_eviction_that_did_not_happen_is_forgotten() -> None:
    evicted = {"disruptedPods": {"p0": "2020-01-01T00:00:00Z"}}
    status = wanted_status(budget(evicted, minAvailable=1), pods(3), owned_by_four)
    assert "disruptedPods" not in status
    assert status["disruptionsAllowed"] == 2


def test_a_share_of_nobodys_pods_cannot_be_counted() -> None:
    with pytest.raises(ValueError, match="found no controller"):
        wanted_status(budget(maxUnavailable=1), pods(1), unowned)
    assert wanted_status(budget(minAvailable=1), pods(2), unowned)["disruptionsAllowed"] == 1


def test_percentages_are_rounded_up() -> None:
    assert (share("30%", 4), share("0%", 4), share(3, 4)) == (2, 0, 3)
    with pytest.raises(ValueError, match="percentage"):
        share("many", 4)
