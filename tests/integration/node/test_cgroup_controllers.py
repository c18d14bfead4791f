"""Controllers of cgroup v2, in a real hierarchy: a cgroup stands for a container's root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish.node.cgroup_controllers import ControllersMissing, enable_controllers

HIERARCHIES = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))


@pytest.fixture
def controlled() -> Iterator[tuple[Path, str]]:
    """(a cgroup with a process in it, a controller that it may give to its children)."""
    if os.geteuid() != 0:
        pytest.skip("cgroups need root")
    top = next((each for each in HIERARCHIES if (each / "cgroup.controllers").exists()), None)
    known = (top / "cgroup.controllers").read_text().split() if top else []
    # Threaded controllers (cpu, pids) hold internal processes too, but show other errors.
    name = next((each for each in ("hugetlb", "memory", "io") if each in known), "")
    if top is None or not name:
        pytest.skip("this machine's cgroup v2 has no controllers")
    given = name in (top / "cgroup.subtree_control").read_text().split()
    (top / "cgroup.subtree_control").write_text(f"+{name}")
    root = top / f"pilotfish-test-{os.getpid()}"
    root.mkdir()
    process = subprocess.Popen(["sleep", "600"])
    try:
        (root / "cgroup.procs").write_text(str(process.pid))
        yield root, name
    finally:
        process.kill()
        process.wait()
        for folder in sorted(root.rglob("*/"), reverse=True):
            folder.rmdir()
        root.rmdir()
        if not given:
            (top / "cgroup.subtree_control").write_text(f"-{name}")


def test_processes_of_the_root_make_room_for_controllers(controlled: tuple[Path, str]) -> None:
    root, name = controlled
    with pytest.raises(OSError, match="busy"):
        (root / "cgroup.subtree_control").write_text(f"+{name}")
    enable_controllers(root, [name])
    assert name in (root / "cgroup.subtree_control").read_text().split()
    assert (root / "cgroup.procs").read_text() == ""
    assert (root / "init/cgroup.procs").read_text() != ""
    child = root / "pod"
    child.mkdir()
    assert name in (child / "cgroup.controllers").read_text().split()
    enable_controllers(root, [name])  # nothing to do any more


def test_a_controller_that_the_kernel_does_not_give_is_named(controlled: tuple[Path, str]) -> None:
    root, name = controlled
    with pytest.raises(ControllersMissing) as caught:
        enable_controllers(root, [name, "imaginary"])
    assert caught.value.names == ("imaginary",)
