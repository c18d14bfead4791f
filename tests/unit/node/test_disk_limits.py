"""Limits on the disk that a Pod may fill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pilotfish.node.disk_limits import Usage, disk_usage, exceeded, has_limits

MIB = 1024 * 1024


def pod(*limits: str | None, volumes: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    containers = []
    for number, limit in enumerate(limits):
        resources = {"limits": {"ephemeral-storage": limit}} if limit else {}
        containers.append({"name": f"c{number}", "resources": resources})
    named = [{"name": name, "emptyDir": it} for name, it in (volumes or {}).items()]
    return {"metadata": {"name": "p"}, "spec": {"containers": containers, "volumes": named}}


@pytest.mark.parametrize(
    ("given", "usage", "message"),
    [
        (
            pod(None, volumes={"v": {"sizeLimit": "1Mi"}}),
            Usage({"v": MIB + 1}, {"c0": 0}),
            'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ',
        ),
        (
            pod("1Mi", "2Mi"),
            Usage({"v": 3 * MIB}, {"c0": 1, "c1": 0}),
            "Pod ephemeral local storage usage exceeds the total limit of containers 3Mi. ",
        ),
        (
            pod("1Mi", "2Mi"),
            Usage({}, {"c0": MIB + 1, "c1": 0}),
            'Container c0 exceeded its local ephemeral storage limit "1Mi". ',
        ),
        (pod("1Mi", volumes={"v": {"sizeLimit": "1Mi"}}), Usage({"v": 1}, {"c0": MIB - 1}), ""),
        (pod(None), Usage({"v": 100 * MIB}, {"c0": 100 * MIB}), ""),
        (pod(None, volumes={"v": {"sizeLimit": "0"}}), Usage({"v": MIB}, {}), ""),
    ],
)
def test_who_goes_over_a_limit_is_evicted_with_the_kubelets_words(
    given: dict[str, Any], usage: Usage, message: str
) -> None:
    assert exceeded(given, usage) == message


def test_a_sidecar_adds_to_what_the_pod_may_take() -> None:
    given = pod("1Mi")
    (sidecar,) = pod("1Mi")["spec"]["containers"]
    given["spec"]["initContainers"] = [{**sidecar, "name": "s", "restartPolicy": "Always"}]
    assert exceeded(given, Usage({"v": 2 * MIB}, {})) == ""
    assert "total limit of containers 2Mi" in exceeded(given, Usage({"v": 2 * MIB + 1}, {}))


def test_only_pods_with_limits_are_measured() -> None:
    assert not has_limits(pod(None, volumes={"v": {}}))
    assert not has_limits(pod(None, volumes={"v": {"medium": "Memory", "sizeLimit": "1Mi"}}))
    assert has_limits(pod(None, volumes={"v": {"sizeLimit": "1Mi"}}))
    assert has_limits(pod(None, "1Gi"))


async def test_what_lies_on_disk_is_counted_and_a_sparse_file_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "full").write_bytes(b"x" * MIB)
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert MIB <= await disk_usage([tmp_path, tmp_path / "missing"]) < 2 * MIB
