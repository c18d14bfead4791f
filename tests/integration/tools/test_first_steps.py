"""The first commands of a clean clone: who may run them, and whose files come of it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
ANN = pwd.getpwnam("nobody")


@pytest.fixture
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone has beside sources, hers; in a folder that she can enter."""
    clone = tmp_path_factory.mktemp("clone")
    for folder in (clone, *clone.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    (clone / "web").mkdir()
    shutil.copy(CHECKOUT / "Makefile", clone)
    shutil.copytree(CHECKOUT / "tools", clone / "tools")
    for path in (clone, *clone.rglob("*")):
        os.chown(path, ANN.pw_uid, ANN.pw_gid)
    return clone


def run(clone: Path, *command: str, user: str | None = None) -> subprocess.CompletedProcess[str]:
    # `make test` runs us: without its variables, the make of the test is as a person's.
    of_make = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if name not in of_make}
    return subprocess.run(
        command,
        cwd=clone,
        user=user,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("target", ["demo", "install", "uninstall", "test", "bench"])
def test_what_needs_root_says_so_before_it_does_anything(clone: Path, target: str) -> None:
    before = sorted(clone.rglob("*"))
    done = run(clone, "make", target, "KEEP=1", user=ANN.pw_name)
    assert done.stderr.splitlines()[0] == (
        f"error: root is needed; make {target}; run: sudo make {target} KEEP=1"
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert sorted(clone.rglob("*")) == before


def test_what_root_makes_in_a_clone_is_its_owners(clone: Path) -> None:
    done = run(clone, "tools/as_owner", "sh", "-c", "id -u; id -G; echo $HOME; touch made")
    assert done.stdout.split("\n")[:3] == [str(ANN.pw_uid), str(ANN.pw_gid), ANN.pw_dir]
    assert (clone / "made").stat().st_uid == ANN.pw_uid


def test_a_clone_of_roots_or_of_somebody_unknown_is_worked_on_by_root(clone: Path) -> None:
    for owner in (0, 54321):
        os.chown(clone, owner, owner)
        assert run(clone, "tools/as_owner", "id", "-u").stdout == "0\n"
