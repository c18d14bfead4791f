"""What is missing on a machine is named, with the fix."""

from __future__ import annotations

import os
import pwd
import socket
import sys
from pathlib import Path

import pytest

from pilotfish.cluster import preflight
from pilotfish.cluster.errors import EXIT_NOT_READY, ClusterError


def test_missing_programs_come_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(preflight, "_SYSTEM_PATH", str(tmp_path))
    with pytest.raises(ClusterError) as caught:
        preflight.check_programs()
    assert caught.value.what == "missing program: runc"
    assert "apt-get install -y runc" in caught.value.mend
    assert caught.value.exit_code == EXIT_NOT_READY


def test_a_program_that_only_helps_is_no_error_but_a_note(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "runc").write_text("#!/bin/sh\n")
    (tmp_path / "runc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(preflight, "_SYSTEM_PATH", str(tmp_path))
    preflight.check_programs()
    kubectl, nft = preflight.notes()
    assert kubectl.startswith("kubectl is not installed")
    assert kubectl.endswith("install it with: apt-get install -y kubernetes-client")
    assert nft.startswith("nft is not installed")
    assert nft.endswith("install it with: apt-get install -y nftables")


def test_behind_sudo_a_command_to_type_begins_with_sudo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(preflight, "_SYSTEM_PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_UID", str(pwd.getpwnam("nobody").pw_uid))
    with pytest.raises(ClusterError, match="sudo apt-get install -y runc"):
        preflight.check_programs()
    assert all("sudo apt-get install -y" in note for note in preflight.notes())


def test_a_plain_user_gets_the_command_that_sudo_will_find(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "pilotfish"
    program.touch(mode=0o755)
    monkeypatch.setattr(preflight, "_SYSTEM_PATH", "")
    monkeypatch.setattr(sys, "argv", [str(program), "up", "--name", "two words"])
    monkeypatch.delenv("KUBECONFIG", raising=False)
    assert preflight.as_root() == f"sudo {program} up --name 'two words'"
    monkeypatch.setenv("KUBECONFIG", "/mine")
    assert preflight.as_root().startswith(f"sudo -E {program} up")
    monkeypatch.setattr(preflight, "_SYSTEM_PATH", str(tmp_path))
    assert preflight.as_root().startswith("sudo -E pilotfish up")


def test_a_plain_user_is_told_to_use_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ClusterError) as caught:
        preflight.check_root("start a cluster")
    assert caught.value.what == "root is needed to start a cluster"
    assert "sudo" in caught.value.mend


def test_a_port_that_is_listened_on_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        monkeypatch.setattr(preflight, "_FIRST_PORT", port)
        assert not preflight.port_free(port)
        assert preflight.choose_port(set()) > port
        assert preflight.choose_port({port + 1}) > port + 1


def test_a_machine_without_a_cpu_controller_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("memory pids\n")
    with pytest.raises(ClusterError, match="no Pod a limit") as caught:
        preflight.check_cgroups(tmp_path)
    assert caught.value.exit_code == EXIT_NOT_READY
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory pids\n")
    preflight.check_cgroups(tmp_path)


def test_cgroup_v1_needs_nothing(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    preflight.check_cgroups(tmp_path)
