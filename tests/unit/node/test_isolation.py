"""Pods that a node refuses, in the kubelet's words."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.node.isolation import dotted, missing_isolation, ungiven_isolation


def pod(sysctls: list[str] | None = None, **spec: Any) -> dict[str, Any]:
    context = {"sysctls": [{"name": name, "value": "1"} for name in sysctls or []]}
    context |= spec.pop("securityContext", {})
    return {
        "metadata": {},
        "spec": {"containers": [{"name": "c"}], **spec} | {"securityContext": context},
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (pod(["kernel.msgmax"]), 'forbidden sysctl: "kernel.msgmax" not allowlisted'),
        (pod(["vm/swappiness"]), 'forbidden sysctl: "vm.swappiness" not allowlisted'),
        (
            pod(["net.ipv4.tcp_syncookies"], hostNetwork=True),
            'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
        ),
        (
            pod(["kernel.shm_rmid_forced"], hostIPC=True),
            'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
        ),
    ],
)
def test_sysctls_that_reach_beyond_the_pod_are_refused(given: dict[str, Any], message: str) -> None:
    rejection = missing_isolation(given)
    assert rejection is not None
    assert (rejection.reason, rejection.message) == (
        "SysctlForbidden",
        f"Pod was rejected: {message}",
    )


def test_safe_sysctls_are_taken() -> None:
    assert missing_isolation(pod(["kernel.shm_rmid_forced", "net/ipv4/tcp_syncookies"])) is None


def test_slashes_and_dots_name_the_same_sysctl() -> None:
    assert dotted("net/ipv4/conf/eth0.1/rp_filter") == "net.ipv4.conf.eth0/1.rp_filter"
    assert dotted("net.ipv4.conf.eth0/1.rp_filter") == "net.ipv4.conf.eth0/1.rp_filter"


@pytest.mark.parametrize(
    ("profile", "enabled", "words"),
    [
        ({"type": "RuntimeDefault"}, False, "AppArmor is not enabled on the host"),
        ({"type": "Localhost", "localhostProfile": "x"}, False, "not enabled on the host"),
        ({"type": "RuntimeDefault"}, True, "no RuntimeDefault profile here"),
        ({"type": "Localhost", "localhostProfile": "x"}, True, None),
        ({"type": "Unconfined"}, False, None),
    ],
)
def test_an_apparmor_profile_that_cannot_be_had_is_refused(
    profile: dict[str, Any], enabled: bool, words: str | None
) -> None:
    rejection = missing_isolation(pod(securityContext={"appArmorProfile": profile}), enabled)
    if words is None:
        assert rejection is None
    else:
        assert rejection is not None
        assert rejection.reason == "AppArmor"
        assert words in rejection.message


def test_the_annotation_of_older_kubernetes_counts_too() -> None:
    given = pod()
    key = "container.apparmor.security.beta.kubernetes.io/c"
    given["metadata"]["annotations"] = {key: "localhost/mine"}
    assert missing_isolation(given, False) is not None
    assert missing_isolation(given, True) is None


def test_a_pod_of_another_system_is_refused() -> None:
    rejection = missing_isolation(pod(os={"name": "windows"}))
    assert rejection is not None
    assert rejection.reason == "PodOSNotSupported"
    assert missing_isolation(pod(os={"name": "linux"})) is None


def test_what_a_pod_runs_without_is_told() -> None:
    assert ungiven_isolation(pod()) == []
    (told,) = ungiven_isolation(pod(shareProcessNamespace=True))
    assert told.startswith("shareProcessNamespace is not given")
    labelled = pod(securityContext={"seLinuxOptions": {"level": "s0"}})
    (told,) = ungiven_isolation(labelled)
    assert told.startswith("seLinuxOptions are not given")
