"""Pods on a real node: runc, network namespaces, overlay mounts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pilotfish.network import namespaces, naming
from pilotfish.node import mounts
from pilotfish.node.images.store import ImageStore
from pilotfish.objects.meta import Object
from pilotfish.objects.pods import is_ready
from support.lone_node import CLUSTER, LoneNode, container, pod, state
from support.oci_image import busybox, layer, write_oci_layout

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(os.geteuid() != 0, reason="containers need root"),
]

FOREVER = "trap 'exit 0' TERM; while :; do sleep 0.1; done"


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


async def test_a_pod_runs_has_an_address_answers_its_node_and_goes(node: LoneNode) -> None:
    web = pod(
        "web",
        command=["python3", "-m", "http.server", "8080"],
        readinessProbe={"httpGet": {"port": 8080}, "periodSeconds": 1},
    )
    node.create(web)
    found = await node.wait_for("web", is_ready)
    address, uid = found["status"]["podIP"], found["metadata"]["uid"]
    assert address.startswith("10.244.0.")
    assert container(found)["containerID"].startswith("runc://")
    hosts = node.run_inside("curl", "-s", f"http://{address}:8080/etc/hosts")
    assert hosts.endswith(f"{address}\tweb\n")

    node.delete("web")
    assert not namespaces.exists(naming.pod_namespace(CLUSTER, uid))
    assert not [point for point in mounts.mount_points() if uid in point.path]


async def test_containers_of_a_pod_share_localhost_hostname_and_shared_memory(
    node: LoneNode,
) -> None:
    reader = (
        "while ! cat /dev/shm/x 2>/dev/null; do sleep 0.05; done; hostname; curl -s localhost:81"
    )
    one = pod("shared", command=shell(reader), spec={"restartPolicy": "Never"})
    other = {
        "name": "server",
        "image": "host",
        "command": shell("echo hello > /dev/shm/x; cd /etc; exec python3 -m http.server 81"),
        "readinessProbe": {"tcpSocket": {"port": 81}, "periodSeconds": 1},
    }
    one["spec"]["containers"][0]["command"] = shell(
        f"until curl -so /dev/null localhost:81; do sleep 0.05; done; {reader}"
    )
    one["spec"]["containers"].append(other)
    node.create(one)
    await node.wait_for("shared", lambda found: "terminated" in state(found))
    log = node.logs("shared")
    assert log.startswith("hello\nshared\n")
    assert "Directory listing" in log
    node.delete("shared")


async def test_the_environment_volumes_and_user_are_as_the_pod_says(node: LoneNode) -> None:
    node.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"k": "v1"}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s"},
            "stringData": {"p": "pw"},
        },
    )
    script = "echo $K $NAME $LIMIT; cat /cm/k /s/p /sub /labels/l; echo; id -u; id -G; ls -ld /data"
    one = pod(
        "settings",
        command=shell(script),
        env=[
            {"name": "K", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "k"}}},
            {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}},
        ],
        resources={"limits": {"memory": "64Mi"}},
        volumeMounts=[
            {"name": "cm", "mountPath": "/cm"},
            {"name": "cm", "mountPath": "/sub", "subPath": "k"},
            {"name": "s", "mountPath": "/s"},
            {"name": "labels", "mountPath": "/labels"},
            {"name": "data", "mountPath": "/data"},
        ],
        spec={
            "restartPolicy": "Never",
            "securityContext": {"runAsUser": 1234, "runAsGroup": 2345, "fsGroup": 3456},
            "volumes": [
                {"name": "cm", "configMap": {"name": "cm"}},
                {"name": "s", "secret": {"secretName": "s"}},
                {
                    "name": "labels",
                    "downwardAPI": {
                        "items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]
                    },
                },
                {"name": "data", "emptyDir": {"medium": "Memory"}},
            ],
        },
    )
    one["metadata"]["labels"] = {"app": "x"}
    node.create(one)
    await node.wait_for("settings", lambda found: "terminated" in state(found))
    lines = node.logs("settings").splitlines()
    assert lines[0] == "v1 settings 67108864"
    assert lines[1] == 'v1pwv1app="x"'
    assert lines[2:4] == ["1234", "2345 3456"]
    assert lines[4].startswith("drwxrwsrwx")
    node.delete("settings")


async def test_a_container_that_ends_leaves_its_last_words_and_is_restarted(
    node: LoneNode,
) -> None:
    node.create(pod("crash", command=shell("echo why > /dev/termination-log; exit 3")))
    found = await node.wait_for(
        "crash", lambda found: state(found).get("waiting", {}).get("reason") == "CrashLoopBackOff"
    )
    last = container(found)["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"], last["message"]) == (3, "Error", "why\n")
    assert container(found)["restartCount"] == 1
    node.delete("crash")


async def test_init_containers_and_sidecars_frame_the_app(node: LoneNode) -> None:
    one = pod(
        "framed",
        command=shell("cat /data/trace; echo app >> /data/trace"),
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
        spec={
            "restartPolicy": "Never",
            "volumes": [{"name": "data", "emptyDir": {}}],
            "initContainers": [
                {
                    "name": "first",
                    "image": "host",
                    "command": shell("echo init >> /data/trace"),
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                },
                {
                    "name": "side",
                    "image": "host",
                    "restartPolicy": "Always",
                    "command": shell(f"echo side >> /data/trace; touch /ok; {FOREVER}"),
                    "startupProbe": {
                        "exec": {"command": ["test", "-e", "/ok"]},
                        "periodSeconds": 1,
                    },
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                },
            ],
        },
    )
    node.create(one)
    found = await node.wait_for("framed", lambda found: found["status"]["phase"] == "Succeeded")
    assert node.logs("framed") == "init\nside"
    sidecar = found["status"]["initContainerStatuses"][1]
    assert sidecar["state"]["terminated"]["exitCode"] == 0
    node.delete("framed")


async def test_a_failing_liveness_probe_restarts_the_container(node: LoneNode) -> None:
    one = pod(
        "sick",
        command=shell(f"[ -e /data/sick ] || touch /data/healthy; {FOREVER}"),
        livenessProbe={
            "exec": {"command": ["rm", "/data/healthy"]},
            "periodSeconds": 1,
            "failureThreshold": 1,
        },
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
        spec={"volumes": [{"name": "data", "emptyDir": {}}]},
    )
    node.create(one)
    await node.wait_for("sick", lambda found: container(found).get("restartCount", 0) >= 1)
    events = node.kubectl("get", "events", "-o", "json")
    messages = [event["message"] for event in json.loads(events)["items"]]
    assert "Container app failed liveness probe, will be restarted" in messages
    node.delete("sick")


async def test_an_unready_pod_keeps_running(node: LoneNode) -> None:
    one = pod(
        "moody",
        command=shell(f"touch /ready; {FOREVER}"),
        readinessProbe={
            "exec": {"command": ["test", "-e", "/ready"]},
            "periodSeconds": 1,
            "failureThreshold": 1,
        },
    )
    node.create(one)
    found = await node.wait_for("moody", is_ready)
    pid = _pid_of(node, found)
    Path(f"/proc/{pid}/root/ready").unlink()
    found = await node.wait_for("moody", lambda found: not is_ready(found))
    assert (container(found)["restartCount"], container(found)["started"]) == (0, True)
    Path(f"/proc/{pid}/root/ready").touch()
    await node.wait_for("moody", is_ready)
    node.delete("moody")


def _pid_of(node: LoneNode, found: dict[str, object]) -> int:
    uid = found["metadata"]["uid"]  # type: ignore[index]
    (record,) = node.state.glob(f"nodes/*/pods/{uid}/containers/app/*/record.json")
    return int(json.loads(record.read_text())["pid"])


@pytest.mark.parametrize(
    ("name", "fields", "reason", "message"),
    [
        ("unknown", {"image": "nginx"}, "ImagePullBackOff", "pilotfish image load"),
        (
            "never",
            {"image": "nginx", "imagePullPolicy": "Never"},
            "ErrImageNeverPull",
            "not present with pull policy of Never",
        ),
        (
            "nocm",
            {"envFrom": [{"configMapRef": {"name": "none"}}]},
            "CreateContainerConfigError",
            'configmap "none" not found',
        ),
    ],
)
async def test_what_keeps_a_container_from_starting_is_said(
    node: LoneNode, name: str, fields: dict[str, object], reason: str, message: str
) -> None:
    node.create(pod(name, command=["true"], **fields))
    found = await node.wait_for(
        name, lambda found: state(found).get("waiting", {}).get("reason") == reason
    )
    assert message in state(found)["waiting"]["message"]
    node.delete(name)


async def test_a_missing_program_is_a_start_error(node: LoneNode) -> None:
    one = pod("typo", command=["no-such-program"], spec={"restartPolicy": "Never"})
    node.create(one)
    found = await node.wait_for("typo", lambda found: found["status"].get("phase") == "Failed")
    ended = state(found)["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
    assert 'exec: "no-such-program": executable file not found' in ended["message"]
    node.delete("typo")


async def test_a_memory_limit_kills_and_says_so(node: LoneNode) -> None:
    one = pod(
        "greedy",
        command=["python3", "-c", "x = bytearray(100 << 20)"],
        resources={"limits": {"memory": "30Mi"}},
        spec={"restartPolicy": "Never"},
    )
    node.create(one)
    found = await node.wait_for("greedy", lambda found: "terminated" in state(found))
    assert state(found)["terminated"]["reason"] == "OOMKilled"
    node.delete("greedy")


async def test_a_loaded_image_runs_with_its_entrypoint_user_and_folder(
    node: LoneNode, tmp_path: Path
) -> None:
    files = {
        "bin/busybox": busybox(),
        "etc/passwd": b"root:x:0:0::/:/bin/sh\napp:x:77:88::/srv:/bin/sh\n",
        "srv/note": b"from the image\n",
    }
    config = {
        "Entrypoint": ["/bin/busybox", "sh", "-c"],
        "Cmd": ["/bin/busybox cat note; /bin/busybox id; echo $A"],
        "Env": ["A=1", "PATH=/bin"],
        "User": "app",
        "WorkingDir": "/srv",
    }
    layout = write_oci_layout(tmp_path / "layout", [layer(files)], config)
    ImageStore(node.images).load(layout, "example.org/app:1")
    one = pod("loaded", image="example.org/app:1", spec={"restartPolicy": "Never"})
    node.create(one)
    await node.wait_for("loaded", lambda found: found["status"].get("phase") == "Succeeded")
    assert node.logs("loaded") == "from the image\nuid=77(app) gid=88\n1"
    node.delete("loaded")


async def test_the_machines_secrets_are_not_in_a_pod(node: LoneNode) -> None:
    script = f"cat /etc/shadow; ls {node.state}; ls /run /root /home /srv /tmp; touch /written"
    node.create(pod("thief", command=shell(script), spec={"restartPolicy": "Never"}))
    await node.wait_for("thief", lambda found: "terminated" in state(found))
    assert node.logs("thief").splitlines() == [
        "cat: /etc/shadow: No such file or directory",
        f"ls: cannot access '{node.state}': No such file or directory",
        *("/home:", "", "/root:", "", "/run:", "", "/srv:", "", "/tmp:"),
    ]
    assert not Path("/written").exists()
    node.delete("thief")


async def test_more_of_the_machine_is_refused_where_the_owner_did_not_allow_it(
    node: LoneNode,
) -> None:
    one = pod("greedy", command=["ls", "/root"])
    one["metadata"]["annotations"] = {"pilotfish.dev/host-paths": "/root"}
    node.create(one)
    found = await node.wait_for("greedy", lambda found: "waiting" in state(found))
    found = await node.wait_for("greedy", lambda found: "message" in state(found)["waiting"])
    assert state(found)["waiting"]["reason"] == "CreateContainerConfigError"
    assert "--allow-host-path /root" in state(found)["waiting"]["message"]
    node.delete("greedy")


async def test_folders_deeper_than_a_path_go_with_their_pod(node: LoneNode) -> None:
    program = """
import os
for top in ("/v", "/tmp", "/usr/lib"):
    os.chdir(top)
    for _ in range(4000):
        os.mkdir("d")
        os.chdir("d")
"""
    one = pod(
        "deep",
        command=["python3", "-c", program],
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
        spec={"volumes": [{"name": "v", "emptyDir": {}}], "restartPolicy": "Never"},
    )
    node.create(one)
    await node.wait_for("deep", lambda found: found["status"].get("phase") == "Succeeded")
    folder = node.state / "nodes/node-1/pods" / node.get("deep")["metadata"]["uid"]
    assert folder.exists()
    node.delete("deep")
    await node.until(lambda: not folder.exists())


async def test_an_active_deadline_ends_a_pod(node: LoneNode) -> None:
    one = pod("late", command=shell(FOREVER), spec={"activeDeadlineSeconds": 1})
    node.create(one)
    found = await node.wait_for("late", lambda found: found["status"].get("phase") == "Failed")
    assert found["status"]["reason"] == "DeadlineExceeded"
    node.delete("late")


async def test_a_pod_that_the_node_cannot_take_fails_at_once(node: LoneNode) -> None:
    def taking(name: str, port: int) -> Object:
        ports = [{"containerPort": 80, "hostPort": port}]
        return pod(name, command=shell(FOREVER), ports=ports)

    node.create(taking("first", 18080))
    await node.wait_for("first", is_ready)
    node.create(taking("second", 18080))
    found = await node.wait_for("second", lambda one: one["status"].get("phase") == "Failed")
    assert found["status"]["reason"] == "NodePorts"
    assert found["status"]["message"].startswith("Pod was rejected: Predicate NodePorts failed")
    assert node.kubectl("get", "pod", "second", "--no-headers").split()[2] == "NodePorts"
    # The place is free again when the first one has gone.
    node.delete("second")
    node.delete("first")
    node.create(taking("third", 18080))
    await node.wait_for("third", is_ready)
    node.delete("third")
