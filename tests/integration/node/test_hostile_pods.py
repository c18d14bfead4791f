"""Pods that try to get at the machine: none leaves its box."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from pilotfish.node.images.store import ImageStore
from support.lone_node import LoneNode, pod, state
from support.oci_image import busybox, entry, layer, write_oci_layout
from support.swapper import SOURCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

_VICTIMS = 12
_RESTRICTED = {
    "runAsUser": 1000,
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


def swapping(target: Path, **context: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """A volume's mount, and a sidecar that swaps a folder in it for a link to the target."""
    volume = {"name": "v", "mountPath": "/v"}
    racer = {
        "name": "racer",
        "image": "host",
        "restartPolicy": "Always",
        "command": ["python3", "-c", SOURCE, "/v", str(target)],
        "volumeMounts": [volume],
        **context,
    }
    return volume, racer


@pytest.mark.parametrize("who", ["root", "restricted"])
async def test_swapping_a_sub_path_for_a_link_does_not_lead_to_the_machine(
    node: LoneNode, tmp_path: Path, who: str
) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "secret").touch()
    context: dict[str, Any] = {"securityContext": _RESTRICTED} if who == "restricted" else {}
    volume, racer = swapping(tmp_path, **context)
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
    node.delete(f"swapper-{who}")


async def test_a_dev_that_is_a_link_has_nothing_written_to_the_machine(
    node: LoneNode, tmp_path: Path
) -> None:
    """runc fills /dev by name before the root file system is the root."""
    outside = tmp_path / "outside"
    outside.mkdir()
    link = entry("dev", type=tarfile.SYMTYPE, linkname=str(outside))
    config = {"Cmd": ["/bin/busybox", "ls", "-l", "/dev/null", "/dev/fd"]}
    layout = write_oci_layout(tmp_path / "image", [layer({"bin/busybox": busybox()}, link)], config)
    ImageStore(node.images).load(layout, "dev-link")
    once = {"restartPolicy": "Never"}
    node.create(pod("dev-link", spec=once, image="dev-link"))
    prepare = {
        "name": "prepare",
        "image": "host",
        "command": ["ln", "-s", str(outside), "/v/dev"],
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    }
    spec = {**once, "initContainers": [prepare], "volumes": [{"name": "v", "emptyDir": {}}]}
    root = [{"name": "v", "mountPath": "/"}]
    node.create(pod("root-volume", command=["true"], volumeMounts=root, spec=spec))
    await node.wait_for("dev-link", lambda found: "terminated" in state(found))
    refused = "CreateContainerConfigError"
    await node.wait_for(
        "root-volume", lambda found: state(found).get("waiting", {}).get("reason") == refused
    )
    assert "null" in node.logs("dev-link")
    assert list(outside.iterdir()) == []
    node.delete("dev-link", "root-volume")


async def test_a_container_gets_devices_of_its_own(node: LoneNode) -> None:
    script = """
import os, pty
os.fchmod(0, 0o600)
os.chmod("/dev/null", 0o600)
for name in ("zero", "full", "random", "urandom", "tty", "stdin", "stdout", "stderr", "fd"):
    assert os.path.lexists("/dev/" + name), name
assert open("/dev/zero", "rb").read(3) == bytes(3)
pty.openpty()
print("fine")
"""
    before = Path("/dev/null").stat().st_mode
    node.create(pod("devices", command=["python3", "-c", script], spec={"restartPolicy": "Never"}))
    await node.wait_for("devices", lambda found: "terminated" in state(found))
    assert node.logs("devices") == "fine"
    assert Path("/dev/null").stat().st_mode == before
    node.create(pod("next", command=["cat"], spec={"restartPolicy": "Never"}))
    found = await node.wait_for("next", lambda found: "terminated" in state(found))
    assert state(found)["terminated"]["exitCode"] == 0
    node.delete("devices", "next")


async def test_a_mount_inside_of_a_volume_makes_nothing_on_the_machine(
    node: LoneNode, tmp_path: Path
) -> None:
    """runc makes a missing mount point by its name, which may lead elsewhere by then."""
    outside = tmp_path / "outside"
    outside.mkdir()
    volume, racer = swapping(outside)
    victims = [
        {
            "name": f"victim-{number}",
            "image": "host",
            "command": ["true"],
            "volumeMounts": [
                volume,
                *({"name": "w", "mountPath": f"/v/x/{number}-{one}"} for one in range(25)),
            ],
        }
        for number in range(_VICTIMS)
    ]
    spec = {
        "restartPolicy": "Never",
        "initContainers": [racer],
        "containers": victims,
        "volumes": [{"name": name, "emptyDir": {}} for name in ("v", "w")],
    }
    node.create(pod("nested", spec=spec))

    def all_tried(found: dict[str, Any]) -> bool:
        statuses = found.get("status", {}).get("containerStatuses") or []
        tried = [
            one
            for one in statuses
            if "terminated" in one["state"]
            or one["state"].get("waiting", {}).get("reason") == "CreateContainerConfigError"
        ]
        return len(tried) == _VICTIMS

    await node.wait_for("nested", all_tried)
    assert list(outside.iterdir()) == []
    node.delete("nested")


async def test_mounts_inside_of_volumes_are_where_they_belong(node: LoneNode) -> None:
    script = """
echo outer > /v/file; echo inner > /v/a/w/file; echo last > /v/log/message
cat /v/file /v/a/w/file /v/a/w/sub/file; ls /v/a
touch /v/a/ro/x 2>/dev/null || echo read-only
exit 1
"""
    prepare = {
        "name": "prepare",
        "image": "host",
        "command": ["sh", "-c", "mkdir /s/part; echo part > /s/part/file"],
        "volumeMounts": [{"name": "s", "mountPath": "/s"}],
    }
    container_mounts = [
        {"name": "s", "mountPath": "/v/a/w/sub", "subPath": "part"},
        {"name": "w", "mountPath": "/v/a/w"},
        {"name": "w", "mountPath": "/v/a/ro", "readOnly": True},
        {"name": "v", "mountPath": "/v"},
    ]
    spec = {
        "restartPolicy": "Never",
        "initContainers": [prepare],
        "volumes": [{"name": name, "emptyDir": {}} for name in ("v", "w", "s")],
    }
    one = pod("nesting", command=["sh", "-c", script], volumeMounts=container_mounts, spec=spec)
    one["spec"]["containers"][0]["terminationMessagePath"] = "/v/log/message"
    node.create(one)
    found = await node.wait_for("nesting", lambda found: "terminated" in state(found))
    said = node.logs("nesting").splitlines()
    assert said == ["outer", "inner", "part", "ro", "w", "read-only"]
    assert state(found)["terminated"]["message"] == "last\n"
    node.delete("nesting")
