"""How large an emptyDir in memory may become."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.node.volumes.pod_volumes import memory_volume_bytes


@pytest.mark.parametrize(
    ("settings", "memory", "expected"),
    [
        ({}, (None,), 1000),
        ({}, ("100", None), 1000),
        ({}, ("100", "200"), 300),
        ({"sizeLimit": "50"}, ("100",), 50),
        ({"sizeLimit": "5000"}, ("100",), 100),
    ],
)
def test_a_volume_in_memory_is_no_larger_than_what_may_be_used(
    settings: dict[str, Any], memory: tuple[str | None, ...], expected: int
) -> None:
    containers = [
        {"name": "c", "resources": {"limits": {"memory": limit} if limit else {}}}
        for limit in memory
    ]
    assert memory_volume_bytes(settings, {"spec": {"containers": containers}}, 1000) == expected


@pytest.mark.parametrize(
    ("init_container", "expected"),
    [
        ({"restartPolicy": "Always", "resources": {"limits": {"memory": "50"}}}, 150),
        ({"resources": {"limits": {"memory": "50"}}}, 100),
        ({}, 1000),
    ],
)
def test_init_containers_count_for_a_volume_in_memory(
    init_container: dict[str, Any], expected: int
) -> None:
    app = {"name": "c", "resources": {"limits": {"memory": "100"}}}
    spec = {"containers": [app], "initContainers": [{"name": "i", **init_container}]}
    assert memory_volume_bytes({}, {"spec": spec}, 1000) == expected
