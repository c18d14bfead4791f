"""Images from the command line: loaded, run, refused, removed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.application import NAME
from support.shell import Shell, eventually

REFERENCE = f"{NAME}/shell:1"


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    """A root file system with nothing but this machine's shell and the libraries it needs."""
    root = tmp_path / "rootfs"
    needed = re.findall(r"(/\S+)", subprocess.check_output(["ldd", "/bin/sh"], text=True))
    for file in ["/bin/sh", *needed]:
        target = root / file.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    return root


@pytest.fixture
def image(shell: Shell, rootfs: Path) -> Iterator[str]:
    """The root file system as an image."""
    assert "Loaded" in shell.pilotfish("image", "load", str(rootfs), "--name", REFERENCE)
    yield REFERENCE
    shell.run(sys.executable, "-m", "pilotfish", "image", "remove", REFERENCE)


def test_a_folder_becomes_an_image_that_pods_run(shell: Shell, image: str) -> None:
    assert image in shell.pilotfish("image", "list")
    command = ["sh", "-c", "echo only /bin/*; read forever"]
    shell.kubectl("run", "tiny", f"--image={image}", "--stdin", "--", *command)
    try:
        shell.wait_ready("run=tiny", 1)
        assert shell.kubectl("logs", "tiny") == "only /bin/sh\n"
        refused = shell.run(sys.executable, "-m", "pilotfish", "image", "remove", image)
        assert refused.returncode == 1
        assert "in use" in refused.stderr
    finally:
        shell.kubectl("delete", "pod", "tiny", "--now")
    shell.pilotfish("image", "remove", image)
    assert image not in shell.pilotfish("image", "list")


def test_an_unknown_image_says_how_to_load_it(shell: Shell) -> None:
    shell.kubectl("run", "stranger", f"--image={NAME}/unknown:1")
    try:

        def reason() -> str:
            status = shell.get("pod", "stranger")["status"]
            waiting = [one["state"].get("waiting") for one in status.get("containerStatuses", [])]
            return str(waiting[0]["reason"]) if waiting and waiting[0] else ""

        eventually(lambda: reason() in ("ErrImagePull", "ImagePullBackOff"), "a waiting reason")
        assert "pilotfish image load" in shell.kubectl("events", "--for", "pod/stranger")
    finally:
        shell.kubectl("delete", "pod", "stranger", "--now")


def test_what_is_no_image_is_refused_with_the_mend(shell: Shell, tmp_path: Path) -> None:
    junk = tmp_path / "junk.tar"
    junk.write_bytes(b"not an archive")
    load = [sys.executable, "-m", "pilotfish", "image", "load"]
    for source, name in ((junk, "a/b"), (tmp_path / "nowhere", "a/b"), (tmp_path, "host")):
        done = shell.run(*load, str(source), "--name", name)
        assert done.returncode == 1, done
        assert re.fullmatch(r"error: [^;]+; [^;]+; .+\n", done.stderr), done.stderr
