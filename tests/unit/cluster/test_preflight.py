"""What is missing on a machine is named, with the mend."""

from __future__ import annotations

import os
import socket
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
    [note] = preflight.notes()
    assert note.startswith("nft is not installed")
    assert "apt-get install -y nftables" in note


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
