"""From a Pod's container to config.json."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.node.errors import ContainerConfigError
from pilotfish.node.oci.capabilities import ALL, DEFAULT, bounding_set, container_capabilities
from pilotfish.node.oci.mounts import bind
from pilotfish.node.oci.resources import linux_resources
from pilotfish.node.oci.spec import ImageConfig, Sandbox, SpecInput, command_line, make_spec
from pilotfish.node.oci.user import User

IMAGE = ImageConfig(entrypoint=("/entry",), cmd=("default",), env=("A=image", "PATH=/image"))
SANDBOX = Sandbox(network="/net", ipc="/ipc", uts="/uts", hostname="web-0", shm="/shm")


def spec_of(
    container: dict[str, Any], pod_spec: dict[str, Any] | None = None, **given: Any
) -> dict[str, Any]:
    container = {"name": "c", **container}
    given.setdefault("image", IMAGE)
    return make_spec(
        SpecInput(
            pod={"metadata": {"name": "p"}, "spec": pod_spec or {}},
            container=container,
            rootfs="/bundle/rootfs",
            dev="/run/dev",
            sandbox=SANDBOX,
            user=User(1, 2, (3,)),
            env={"A": "pod"},
            mounts=(bind("/data", "/volumes/data", read_only=True),),
            cgroup_path="/pilotfish/id",
            available_capabilities=ALL,
            oom_score_adj=1000,
            **given,
        )
    )


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({}, ["/entry", "default"]),
        ({"args": ["x"]}, ["/entry", "x"]),
        ({"command": ["/own"]}, ["/own"]),
        ({"command": ["/own"], "args": ["x"]}, ["/own", "x"]),
        ({"command": ["/own", "$(A)$$(A)"]}, ["/own", "1$(A)"]),
    ],
)
def test_command_and_args_against_entrypoint_and_cmd(
    container: dict[str, Any], expected: list[str]
) -> None:
    assert command_line(container, IMAGE, {"A": "1"}) == expected


def test_a_container_without_any_command_is_refused() -> None:
    with pytest.raises(ContainerConfigError, match="no command specified"):
        command_line({}, ImageConfig(), {})


def test_the_process_has_the_pods_user_environment_and_folder() -> None:
    process = spec_of({"workingDir": "/work"})["process"]
    assert process["user"] == {"uid": 1, "gid": 2, "additionalGids": [3]}
    assert process["cwd"] == "/work"
    assert set(process["env"]) == {"PATH=/image", "HOSTNAME=web-0", "A=pod"}


def test_namespaces_of_the_pod_are_joined_and_pid_and_mount_are_its_own() -> None:
    namespaces = spec_of({})["linux"]["namespaces"]
    assert {one["type"]: one.get("path") for one in namespaces} == {
        "mount": None,
        "pid": None,
        "network": "/net",
        "ipc": "/ipc",
        "uts": "/uts",
    }


def test_a_pod_may_see_the_machines_processes() -> None:
    types = [one["type"] for one in spec_of({}, {"hostPID": True})["linux"]["namespaces"]]
    assert "pid" not in types


def test_with_cgroup_v2_a_container_sees_its_own_cgroups_only() -> None:
    def types(container: dict[str, Any]) -> list[str]:
        document = spec_of(container, cgroup_namespace=True)
        return [one["type"] for one in document["linux"]["namespaces"]]

    assert "cgroup" in types({})
    assert "cgroup" not in types({"securityContext": {"privileged": True}})


def test_what_the_kernel_would_tell_is_masked_but_not_for_the_privileged() -> None:
    plain = spec_of({})["linux"]
    assert "/proc/kcore" in plain["maskedPaths"]
    assert "/proc/sys" in plain["readonlyPaths"]
    trusted = spec_of({"securityContext": {"privileged": True}})
    assert "maskedPaths" not in trusted["linux"]
    (sys,) = [mount for mount in trusted["mounts"] if mount["destination"] == "/sys"]
    assert "rw" in sys["options"]


def test_security_context_fields_reach_the_document() -> None:
    context = {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False}
    document = spec_of({"securityContext": context})
    assert document["root"] == {"path": "/bundle/rootfs", "readonly": True}
    assert document["process"]["noNewPrivileges"]


def test_volumes_come_after_what_every_container_has() -> None:
    mounts = spec_of({})["mounts"]
    assert mounts[0]["destination"] == "/proc"
    assert mounts[-1] == {
        "destination": "/data",
        "type": "bind",
        "source": "/volumes/data",
        "options": ["rbind", "rprivate", "ro"],
    }


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, {"shares": 2}),
        ({"requests": {"cpu": "500m"}}, {"shares": 512}),
        ({"limits": {"cpu": "2"}}, {"shares": 2048, "quota": 200_000, "period": 100_000}),
        ({"limits": {"cpu": "1m"}}, {"shares": 2, "quota": 1000, "period": 100_000}),
    ],
)
def test_cpu_becomes_shares_and_quota(resources: dict[str, Any], expected: dict[str, int]) -> None:
    assert linux_resources({"resources": resources}, privileged=False)["cpu"] == expected


def test_a_memory_limit_is_in_bytes() -> None:
    container = {"resources": {"limits": {"memory": "64Mi"}}}
    assert linux_resources(container, privileged=False)["memory"] == {"limit": 67108864}


def test_capabilities_are_containerds_plus_add_minus_drop() -> None:
    def capabilities(context: dict[str, Any], available: tuple[str, ...] = ALL) -> list[str]:
        return container_capabilities(context, available)

    assert capabilities({}) == sorted(DEFAULT)
    assert capabilities({"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}}) == [
        "CAP_NET_ADMIN"
    ]
    assert "CAP_CHOWN" not in capabilities({"capabilities": {"drop": ["chown"]}})
    assert capabilities({"privileged": True}) == sorted(ALL)
    assert capabilities({"privileged": True}, ("CAP_KILL",)) == ["CAP_KILL"]


def test_the_bounding_set_is_read_by_bit() -> None:
    assert bounding_set("Name:\tx\nCapBnd:\t0000000000000021\n") == ("CAP_CHOWN", "CAP_KILL")


def test_a_container_with_a_target_shares_its_processes() -> None:
    pids = {"type": "pid", "path": "/proc/7/ns/pid"}
    assert pids in spec_of({}, target_pid=7)["linux"]["namespaces"]
    assert {"type": "pid"} in spec_of({})["linux"]["namespaces"]
