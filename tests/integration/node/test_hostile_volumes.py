"""Pods that use their volumes to get at the machine: none leaves its box."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.lone_node import LoneNode, pod
from support.swapper import SOURCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

_VICTIMS = 12
_RESTRICTED = {
    "runAsUser": 1000,
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


@pytest.mark.parametrize("who", ["root", "restricted"])
async def test_swapping_a_sub_path_for_a_link_does_not_lead_to_the_machine(
    node: LoneNode, tmp_path: Path, who: str
) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "secret").touch()
    context: dict[str, Any] = {"securityContext": _RESTRICTED} if who == "restricted" else {}
    volume = {"name": "v", "mountPath": "/v"}
    racer = {
        "name": "racer",
        "image": "host",
        "restartPolicy": "Always",
        "command": ["python3", "-c", SOURCE, "/v", str(tmp_path)],
        "volumeMounts": [volume],
        **context,
    }
    script = "test -e /m/secret && echo escaped || echo inside; exec sleep 60"
    victims = [
        {
            "name": f"victim-{number}",
            "image": "host",
            "command": ["sh", "-c", script],
            "volumeMounts": [{**volume, "mountPath": "/m", "subPath": "x"}],
            **context,
        }
        for number in range(_VICTIMS)
    ]
    found = pod(
        f"swapper-{who}",
        spec={
            "initContainers": [racer],
            "containers": victims,
            "volumes": [{"name": "v", "emptyDir": {}}],
        },
    )
    node.create(found)

    def most_started(found: dict[str, Any]) -> bool:
        statuses = found.get("status", {}).get("containerStatuses") or []
        return sum("running" in one["state"] for one in statuses) >= _VICTIMS // 2

    found = await node.wait_for(f"swapper-{who}", most_started)
    uid = found["metadata"]["uid"]
    logs = node.state.glob(f"nodes/*/pods/{uid}/victim-*/0.log")
    said = [line for file in logs for line in file.read_text().splitlines()]
    assert said
    assert not [line for line in said if "escaped" in line], said
    refused = json.dumps(found["status"]["containerStatuses"])
    assert "leads outside of its volume" in refused or len(said) == _VICTIMS
    node.delete(f"swapper-{who}")
