"""Whose home folder and rights a command has."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from pilotfish.client import invoker

SOMEBODY = pwd.getpwnam("nobody")


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def behind_sudo(command: str, **more: str) -> dict[str, str]:
    return {
        "HOME": "/root",
        "SUDO_UID": str(SOMEBODY.pw_uid),
        "SUDO_COMMAND": command,
        **more,
    }


@pytest.mark.usefixtures("root")
def test_after_sudo_pilotfish_the_kubeconfig_is_that_of_who_typed_it() -> None:
    home = Path(SOMEBODY.pw_dir)
    for command in ("/usr/local/bin/pilotfish", "/x/.venv/bin/pilotfish up --nodes 2"):
        assert invoker.home_folder(behind_sudo(command)) == home


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("command", ["/bin/bash", "/usr/bin/make demo", "/usr/bin/env pilotfish"])
def test_in_a_root_shell_or_a_script_home_counts_as_for_kubectl(command: str) -> None:
    assert invoker.home_folder(behind_sudo(command)) == Path("/root")
    assert invoker.home_folder(behind_sudo(command, HOME="/home/me")) == Path("/home/me")


def test_what_sudo_left_means_nothing_to_a_plain_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    environment = behind_sudo("/usr/local/bin/pilotfish", HOME="/home/me")
    assert invoker.home_folder(environment) == Path("/home/me")
    assert invoker.owner_to_be(Path("/home/me/.kube/config"), environment) is None


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("identity", ["", "0", "x", "4294967290", "9" * 40])
def test_nobody_is_behind_sudo_who_is_root_or_unknown(identity: str) -> None:
    assert invoker.person({"SUDO_UID": identity}) is None
