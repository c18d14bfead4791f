"""Which system calls a container may make."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pilotfish.node.errors import ContainerConfigError
from pilotfish.node.oci.capabilities import DEFAULT
from pilotfish.node.oci.seccomp import default_profile, load_profile, seccomp_profile


def allowed(profile: dict[str, Any]) -> set[str]:
    """The names that need no look at their arguments."""
    return {
        name
        for rule in profile["syscalls"]
        if rule["action"] == "SCMP_ACT_ALLOW" and "args" not in rule
        for name in rule["names"]
    }


def test_what_is_not_named_is_refused() -> None:
    profile = default_profile(DEFAULT, "x86_64")
    assert (profile["defaultAction"], profile["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 1)
    refused = {"mount", "unshare", "setns", "bpf", "keyctl", "init_module", "kexec_load", "reboot"}
    refused |= {"io_uring_setup", "userfaultfd", "swapon", "clock_settime", "perf_event_open"}
    assert not refused & allowed(profile)
    assert {"read", "execve", "socketpair", "futex", "ptrace", "chroot"} <= allowed(profile)


def test_a_capability_brings_its_system_calls() -> None:
    assert {"mount", "unshare", "clone3"} <= allowed(default_profile(["CAP_SYS_ADMIN"], "x86_64"))
    assert "clock_settime" in allowed(default_profile(["CAP_SYS_TIME"], "x86_64"))
    assert "chroot" not in allowed(default_profile([], "x86_64"))


def test_clone_may_make_threads_but_no_namespaces() -> None:
    rules = {tuple(rule["names"]): rule for rule in default_profile([], "x86_64")["syscalls"]}
    assert rules[("clone",)]["args"][0] == {
        "index": 0,
        "value": 0x7E020000,
        "op": "SCMP_CMP_MASKED_EQ",
    }
    assert rules[("clone3",)]["errnoRet"] == 38
    s390 = {tuple(rule["names"]): rule for rule in default_profile([], "s390x")["syscalls"]}
    assert s390[("clone",)]["args"][0]["index"] == 1


def test_the_profile_knows_the_architecture() -> None:
    intel, arm = default_profile([], "x86_64"), default_profile([], "aarch64")
    assert intel["architectures"] == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]
    assert arm["architectures"] == ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
    assert "arch_prctl" in allowed(intel)
    assert "arch_prctl" not in allowed(arm)


@pytest.mark.parametrize(
    ("of_pod", "of_container", "expected"),
    [
        ({}, {}, ("RuntimeDefault", "")),
        ({"seccompProfile": {"type": "Unconfined"}}, {}, ("Unconfined", "")),
        (
            {"seccompProfile": {"type": "Unconfined"}},
            {"seccompProfile": {"type": "Localhost", "localhostProfile": "a.json"}},
            ("Localhost", "a.json"),
        ),
        ({}, {"privileged": True}, ("Unconfined", "")),
    ],
)
def test_the_containers_profile_goes_before_the_pods(
    of_pod: dict[str, Any], of_container: dict[str, Any], expected: tuple[str, str]
) -> None:
    pod = {"spec": {"securityContext": of_pod}}
    assert seccomp_profile(pod, {"securityContext": of_container}) == expected


def test_a_localhost_profile_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text('{"defaultAction": "SCMP_ACT_LOG"}')
    assert load_profile(tmp_path, "own.json") == {"defaultAction": "SCMP_ACT_LOG"}


@pytest.mark.parametrize(
    "content", [None, "{", "[]", "{}", "[" * 100_000, " " * (1 << 20) + "{}"], ids=range(6)
)
def test_a_localhost_profile_that_is_no_profile_stops_the_container(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "own.json").write_text(content)
    with pytest.raises(ContainerConfigError, match="cannot load seccomp profile") as caught:
        load_profile(tmp_path, "own.json")
    assert caught.value.reason == "CreateContainerError"


def test_a_localhost_profile_is_not_taken_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    folder = tmp_path / "seccomp"
    folder.mkdir()
    (folder / "link.json").symlink_to(tmp_path / "other.json")
    with pytest.raises(ContainerConfigError, match="invalid cross-device link"):
        load_profile(folder, "link.json")


def test_a_localhost_profile_that_is_no_file_does_not_hold_the_node_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(ContainerConfigError, match="not a regular file"):
        load_profile(tmp_path, "pipe.json")
