"""What cannot work is refused in one line that names the mend."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.shell import Shell, eventually

PILOTFISH = (sys.executable, "-m", "pilotfish")


def refused(done: subprocess.CompletedProcess[str], exit_code: int) -> str:
    """The error's line, if it has the shape that all have."""
    assert done.returncode == exit_code, done
    assert re.fullmatch(r"error: [^;]+; [^;]+; .+\n", done.stderr), done.stderr
    return done.stderr


def test_up_without_root_says_to_use_sudo(shell: Shell) -> None:
    nobody = ["setpriv", "--reuid=65534", "--clear-groups"]
    readable = shell.run(*nobody, sys.executable, "-c", "import pilotfish")
    if readable.returncode:
        pytest.skip("nobody may not read this checkout")
    assert "sudo" in refused(shell.run(*nobody, *PILOTFISH, "up", "--name", "nobodys"), 3)


def test_up_without_runc_says_how_to_install_it(shell: Shell, tmp_path: Path) -> None:
    """With a PATH that leads nowhere, and the system's own folders hidden behind it."""
    program = (
        "from pilotfish.cluster import preflight;"
        f"preflight._SYSTEM_PATH = {str(tmp_path)!r};"
        "from pilotfish.cli.main import main;"
        "import sys; sys.argv = ['pilotfish', 'up', '--name', 'norunc']; sys.exit(main())"
    )
    environment = {**shell.environment, "PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert "apt-get install -y runc" in refused(done, 3)
    assert not Path("/var/lib/pilotfish/norunc").exists()


def test_an_occupied_range_names_who_has_it(shell: Shell, status: dict[str, Any]) -> None:
    for option, taken in (
        ("--node-cidr", status["nodeRange"]),
        ("--pod-cidr", status["podRange"]),
        ("--service-cidr", status["serviceRange"]),
    ):
        done = shell.run(*PILOTFISH, "up", "--name", "squatter", option, taken)
        said = refused(done, 1)
        assert "occupied by" in said
        assert f"{option} {taken}" in said
    assert not Path("/var/lib/pilotfish/squatter").exists()


def test_a_failed_up_leaves_no_process_behind(shell: Shell) -> None:
    marker = f"PILOTFISH_TEST_RUN={os.getpid()}"
    marked = Shell(Path(shell.environment["KUBECONFIG"]))
    marked.environment["PILOTFISH_TEST_RUN"] = str(os.getpid())

    def running() -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if marker in (process / "environ").read_text(errors="replace").split("\0"):
                    found.append((process / "cmdline").read_text())
            except OSError:  # It has just ended, or is not for us to look at.
                continue
        return found

    refused(marked.run(*PILOTFISH, "up", "--name", "Not_A_Name"), 1)
    eventually(lambda: running() == [], "the launcher that was begun has ended")


def test_a_taken_node_port_is_refused_in_kubernetes_words(application: Shell) -> None:
    taken = application.run(
        *("kubectl", "create", "service", "nodeport", "second", "--tcp=80", "--node-port=30001")
    )
    assert taken.returncode == 1
    assert "spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated" in (
        taken.stderr
    )


def test_an_unknown_kind_and_an_unknown_field_are_refused(shell: Shell) -> None:
    kind = "apiVersion: v1\nkind: Servise\nmetadata:\n  name: typo\n"
    done = shell.run("kubectl", "create", "-f", "-", stdin=kind)
    assert 'no matches for kind "Servise" in version "v1"' in done.stderr
    field = (
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: typo\n"
        "spec:\n  selectr:\n    app: web\n  ports:\n  - port: 80\n"
    )
    done = shell.run("kubectl", "create", "-f", "-", stdin=field)
    assert done.returncode == 1
    assert "unknown field" in done.stderr
    assert "selectr" in done.stderr


def test_a_selector_cannot_change_once_it_is_set(application: Shell) -> None:
    patch = '{"spec":{"selector":{"matchLabels":{"type":"other"}}}}'
    done = application.run("kubectl", "patch", "rs", "go-demo-2-api", "-p", patch)
    assert done.returncode == 1
    assert "field is immutable" in done.stderr
