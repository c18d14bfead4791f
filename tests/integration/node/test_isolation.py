"""What isolates a container is given as asked, or refused, on a real node."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pilotfish.node import mounts
from pilotfish.node.oci.devices import machine_devices
from pilotfish.objects.meta import Object
from pilotfish.objects.pods import is_ready
from support.lone_node import LoneNode, container, pod, state

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(os.geteuid() != 0, reason="containers need root"),
]


def shell(script: str) -> list[str]:
    return ["sh", "-c", f"{script}\ntrap 'exit 0' TERM; while :; do sleep 0.1; done"]


async def run(node: LoneNode, name: str, script: str, **given: Any) -> list[str]:
    """The lines that a Pod of this script has written when the script is through."""
    spec = given.pop("spec", {})
    node.create(pod(name, command=shell(f"{script}\necho done"), spec=spec, **given))
    await node.wait_for(name, lambda found: is_ready(found) and "done" in node.logs(name))
    lines = node.logs(name).splitlines()
    node.delete(name)
    return lines


async def test_a_guaranteed_pod_starts_also_where_the_kernel_spares_nobody(node: LoneNode) -> None:
    limits = {"cpu": "100m", "memory": "64Mi"}
    lines = await run(
        node, "guaranteed", "cat /proc/self/oom_score_adj", resources={"limits": limits}
    )
    assert int(lines[0]) < 1000


SYSTEM_CALLS = """
grep Seccomp: /proc/self/status
unshare --net true 2>&1 && echo unshared
"""


async def test_a_container_that_names_no_profile_gets_the_default(node: LoneNode) -> None:
    lines = await run(node, "plain", SYSTEM_CALLS)
    assert lines[0].split() == ["Seccomp:", "2"]
    assert "unshared" not in lines


async def test_unconfined_and_privileged_containers_have_no_profile(node: LoneNode) -> None:
    unconfined = {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}
    assert (await run(node, "free", SYSTEM_CALLS, spec=unconfined))[0].split()[1] == "0"
    privileged = {"privileged": True}
    script = f"{SYSTEM_CALLS}\nfind /dev -type c -o -type b"
    lines = await run(node, "mighty", script, securityContext=privileged)
    assert lines[0].split()[1] == "0"
    assert {"unshared", *(device.path for device in machine_devices())} <= set(lines)


async def test_threads_subprocesses_and_sockets_work_under_the_default(node: LoneNode) -> None:
    script = (
        "import threading, subprocess, socket, multiprocessing, asyncio, os, tempfile\n"
        "thread = threading.Thread(target=print, args=('thread',)); thread.start(); thread.join()\n"
        "print(subprocess.run(['echo', 'child'], capture_output=True, text=True).stdout, end='')\n"
        "pair = socket.socketpair(); pair[0].send(b'x')\n"
        "asyncio.run(asyncio.sleep(0.01))\n"
        "os.memfd_create('m'); os.getrandom(4); os.sched_getaffinity(0)\n"
        "print('fine', flush=True)\n"
    )
    lines = await run(node, "python", f"python3 - <<'END'\n{script}END")
    assert lines[:3] == ["thread", "child", "fine"]


async def test_a_localhost_profile_holds_and_a_missing_one_stops_the_container(
    node: LoneNode,
) -> None:
    folder = node.folder / "seccomp"
    folder.mkdir(exist_ok=True)
    rule = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}
    (folder / "no-folders.json").write_text(json.dumps(profile))

    def context(name: str) -> Object:
        return {"seccompProfile": {"type": "Localhost", "localhostProfile": name}}

    script = "mkdir /tmp/x && echo made"
    lines = await run(node, "own", script, securityContext=context("no-folders.json"))
    assert "made" not in lines
    node.create(pod("missing", command=shell(""), securityContext=context("none.json")))
    found = await node.wait_for(
        "missing",
        lambda one: (
            state(one).get("waiting", {}).get("reason", "ContainerCreating") != "ContainerCreating"
        ),
    )
    assert state(found)["waiting"]["reason"] == "CreateContainerError"
    assert "cannot load seccomp profile" in state(found)["waiting"]["message"]
    node.delete("missing")


async def test_sysctls_are_set_or_the_pod_is_refused(node: LoneNode) -> None:
    def asking(name: str, value: str) -> Object:
        return {"securityContext": {"sysctls": [{"name": name, "value": value}]}}

    given = asking("net/ipv4/ip_local_port_range", "20000 30000")
    lines = await run(node, "safe", "cat /proc/sys/net/ipv4/ip_local_port_range", spec=given)
    assert lines[0].split() == ["20000", "30000"]
    node.create(pod("unsafe", command=shell(""), spec=asking("kernel.msgmax", "65536")))
    found = await node.wait_for("unsafe", lambda one: one["status"].get("phase") == "Failed")
    assert found["status"]["reason"] == "SysctlForbidden"
    assert found["status"]["message"].endswith('forbidden sysctl: "kernel.msgmax" not allowlisted')
    node.delete("unsafe")


def refused(node: LoneNode, name: str, words: str) -> bool:
    """Whether an Event says that the Pod's sandbox was not made, with these words."""
    events = json.loads(node.kubectl("get", "events", "-o", "json"))["items"]
    return any(
        event["reason"] == "FailedCreatePodSandBox"
        and event["involvedObject"]["name"] == name
        and words in event["message"]
        for event in events
    )


async def test_a_user_namespace_is_refused(node: LoneNode) -> None:
    node.create(pod("mapped", command=shell(""), spec={"hostUsers": False}))

    await node.until(lambda: refused(node, "mapped", "does not support user namespaces"))
    assert not is_ready(node.get("mapped"))
    node.delete("mapped")


async def test_a_runtime_class_of_another_handler_is_refused(node: LoneNode) -> None:
    runtime: Object = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass"}
    for name, handler in (("usual", "runc"), ("other", "vm")):
        node.create({**runtime, "metadata": {"name": name}, "handler": handler})
    assert await run(node, "usual", "true", spec={"runtimeClassName": "usual"})
    node.create(pod("other", command=shell(""), spec={"runtimeClassName": "other"}))
    await node.until(lambda: refused(node, "other", 'no runtime for "vm" is configured'))
    assert not is_ready(node.get("other"))
    node.delete("other")


async def test_each_part_of_a_security_context_is_given(node: LoneNode) -> None:
    script = """
    id -u; id -g; id -G
    grep -E '^(NoNewPrivs|CapEff|CapBnd):' /proc/self/status
    touch /x 2>/dev/null || echo read-only
    stat -c '%g %a' /v
    touch /v/own && stat -c %g /v/own
    """
    lines = await run(
        node,
        "careful",
        script,
        securityContext={
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        },
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
        spec={
            "securityContext": {
                "runAsUser": 1234,
                "runAsGroup": 2345,
                "fsGroup": 3456,
                "supplementalGroups": [4567],
            },
            "volumes": [{"name": "v", "emptyDir": {}}],
        },
    )
    user, group, groups, *status = lines[:6]
    assert (user, group) == ("1234", "2345")
    assert set(groups.split()) == {"2345", "3456", "4567"}
    told = dict(line.split() for line in status)
    # A user that is not root has none of the capabilities in effect; none but one can come back.
    assert told["NoNewPrivs:"] == "1"
    assert int(told["CapEff:"], 16) == 0
    assert int(told["CapBnd:"], 16) == 1 << 10
    assert lines[6:9] == ["read-only", "3456 2777", "3456"]


async def test_a_fork_bomb_ends_in_its_container(node: LoneNode) -> None:
    script = "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max"
    assert (await run(node, "pids", script))[0] == "4096"


async def test_who_fills_more_disk_than_allowed_is_evicted(node: LoneNode) -> None:
    script = "head -c 3000000 /dev/zero > {}; echo wrote"
    volumes = [{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}]
    node.create(
        pod(
            "volume",
            command=shell(script.format("/v/file")),
            volumeMounts=[{"name": "v", "mountPath": "/v"}],
            spec={"volumes": volumes, "terminationGracePeriodSeconds": 600},
        ),
        pod(
            "layer",
            command=shell(script.format("/tmp/file")),
            resources={"limits": {"ephemeral-storage": "2Mi"}},
        ),
        pod(
            "log",
            command=shell("head -c 2000000 /dev/zero | base64"),
            resources={"limits": {"ephemeral-storage": "1Mi"}},
        ),
        pod("modest", command=shell(""), resources={"limits": {"ephemeral-storage": "10Mi"}}),
    )
    for name, words in (
        ("volume", 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". '),
        ("layer", "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. "),
        ("log", "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. "),
    ):
        found = await node.wait_for(name, lambda one: one["status"].get("phase") == "Failed")
        assert (found["status"]["reason"], found["status"]["message"]) == ("Evicted", words)
        (disrupted,) = [
            each for each in found["status"]["conditions"] if each["type"] == "DisruptionTarget"
        ]
        assert (disrupted["status"], disrupted["reason"]) == ("True", "TerminationByKubelet")
    assert container(node.get("modest"))["state"].get("running")
    node.delete("volume", "layer", "log", "modest")


LIAR = """
import socket, struct
def packet(source, data):
    udp = struct.pack("!HHHH", 4000, 5000, 8 + len(data), 0) + data
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses + udp
target, own = "{target}", socket.gethostbyname(socket.gethostname())
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for source in ("10.9.9.9", target, own):
    sender.sendto(packet(source, source.encode()), (target, 0))
"""
EAR = """
import socket
ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ear.bind(("", 5000))
print("listening", flush=True)
while True:
    print(ear.recv(100).decode(), flush=True)
"""


async def test_what_a_pod_sends_under_another_address_reaches_nobody(node: LoneNode) -> None:
    spec = {"hostNetwork": True}
    node.create(pod("ear", command=["python3", "-c", EAR], spec=spec))
    await node.wait_for("ear", lambda found: is_ready(found) and "listening" in node.logs("ear"))
    target = node.get("ear")["status"]["podIP"]
    told = await run(node, "liar", f"python3 - <<'END'\n{LIAR.replace('{target}', target)}END")
    assert told == ["done"]
    # What it sent under its own address came last: all before it have been dropped or delivered.
    await node.until(lambda: len(node.logs("ear").splitlines()) > 1)
    _, *heard = node.logs("ear").splitlines()
    assert len(heard) == 1
    assert heard[0] not in ("10.9.9.9", target)
    node.delete("ear")


async def test_a_mount_that_is_read_only_recursively_has_no_writable_corner(
    node: LoneNode, tmp_path: Path
) -> None:
    corner = tmp_path / "corner"
    corner.mkdir()
    mounts.mount("tmpfs", corner, "tmpfs")
    try:
        script = "touch /v/corner/x 2>/dev/null && echo wrote"
        spec = {"volumes": [{"name": "v", "hostPath": {"path": str(tmp_path)}}]}
        mount: Object = {"name": "v", "mountPath": "/v", "readOnly": True}
        assert "wrote" in await run(node, "shallow", script, volumeMounts=[mount], spec=spec)
        mount["recursiveReadOnly"] = "Enabled"
        assert "wrote" not in await run(node, "deep", script, volumeMounts=[mount], spec=spec)
    finally:
        mounts.unmount(corner)
