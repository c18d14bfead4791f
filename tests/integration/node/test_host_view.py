"""What of a machine the root file system of image `host` shows."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish.node import mounts
from pilotfish.node.files.trees import remove_tree
from pilotfish.node.images.host_view import HostView

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")

PUBLIC = {
    "usr/bin/program": "runs",
    "opt/tool/tool": "runs",
    "etc/passwd": "root:x:0:0::/root:/bin/sh",
    "etc/ssl/certs/ca.pem": "certificate",
    "etc/nginx/mime.types": "types",
}
PRIVATE = (
    "root/.kube/config",
    "home/ann/.ssh/id_ed25519",
    "srv/site/token",
    "run/secret",
    "tmp/notes",
    "data/backup",
    "etc/shadow",
    "etc/ssl/private/key.pem",
    "etc/ssh/ssh_host_key",
    "etc/kubernetes/admin.conf",
    "etc/nginx/conf.d/site.conf",
    "etc/unknown/credentials",
    "var/lib/service/database",
    "var/lib/pilotfish/one/admin.key",
    "var/log/service/log",
)


def write(root: Path, name: str, text: str, mode: int = 0o644) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    root = tmp_path / "machine"
    for name, text in PUBLIC.items():
        write(root, name, text)
    (root / "bin").symlink_to("usr/bin")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    return root


@pytest.fixture
def view(tmp_path: Path, machine: Path) -> Iterator[HostView]:
    made = HostView(tmp_path / "view", machine)
    made.prepare()
    yield made
    mounts.unmount_below(tmp_path)


def mounted(view: HostView, folder: Path, read_only: bool = False) -> Path:
    (folder / "rootfs").mkdir(parents=True)
    view.mount(folder / "upper", folder / "work", folder / "rootfs", read_only)
    return folder / "rootfs"


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_programs_are_shown_and_nothing_of_peoples(
    view: HostView, machine: Path, tmp_path: Path
) -> None:
    for name in PRIVATE:
        write(machine, name, "secret")
    write(machine, "etc/ssl/certs/only-root", "secret", mode=0o600)
    root = mounted(view, tmp_path / "c")
    assert files(root) == set(PUBLIC)
    assert (root / "bin/program").read_text() == "runs"
    assert not (root / "data").exists()


def test_what_is_made_while_a_container_runs_is_not_shown_either(
    view: HostView, machine: Path, tmp_path: Path
) -> None:
    root = mounted(view, tmp_path / "c")
    for name in PRIVATE:
        write(machine, name, "secret")
    for seen in (root, mounted(view, tmp_path / "later")):
        assert files(seen) == set(PUBLIC)
        assert not [name for name in PRIVATE if (seen / name).exists()]


def test_what_a_package_brings_is_there_for_the_next_container(
    view: HostView, machine: Path, tmp_path: Path
) -> None:
    first = mounted(view, tmp_path / "first")
    write(machine, "usr/bin/new", "runs")
    write(machine, "etc/ssl/certs/new.pem", "certificate")
    write(machine, "etc/passwd.new", "root:x:0:0\nredis:x:7:7")
    (machine / "etc/passwd.new").replace(machine / "etc/passwd")
    (machine / "var/lib/redis").mkdir(parents=True)
    (machine / "var/lib/redis").chmod(0o750)
    os.chown(machine / "var/lib/redis", 7, 7)
    second = mounted(view, tmp_path / "second")
    assert "redis" in (second / "etc/passwd").read_text()
    assert "redis" not in (first / "etc/passwd").read_text()
    assert (second / "etc/ssl/certs/new.pem").exists()
    found = (second / "var/lib/redis").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (7, 7, 0o750)
    mounts.unmount_below(tmp_path / "first")
    (machine / "var/lib/other").mkdir()
    mounted(view, tmp_path / "third")
    assert len(list((tmp_path / "view").iterdir())) == 2


@pytest.mark.parametrize(
    "name",
    [
        "etc/nginx/fastcgi.conf",  # beside what is shown
        "etc/nginx/modules-enabled/new.conf",  # in a folder that was not there
        "etc/ssl/certs/deep/new.pem",
        "etc/pki/tls/certs/new.pem",  # no folder on the way was there
        "etc/perl/deep/er/new.pm",
    ],
)
def test_a_new_file_is_found_wherever_a_pattern_allows_it(
    view: HostView, machine: Path, tmp_path: Path, name: str
) -> None:
    (machine / "etc/perl/deep/er").mkdir(parents=True)
    first = mounted(view, tmp_path / "first")
    write(machine, name, "new")
    assert (mounted(view, tmp_path / "second") / name).read_text() == "new"
    assert not (first / name).exists()


def test_a_folder_that_goes_away_is_gone_for_the_next_container(
    view: HostView, machine: Path, tmp_path: Path
) -> None:
    mounted(view, tmp_path / "first")
    remove_tree(machine / "etc/nginx")
    assert not (mounted(view, tmp_path / "second") / "etc/nginx").exists()


def test_a_change_that_could_not_be_taken_over_is_tried_again(
    view: HostView, machine: Path, tmp_path: Path
) -> None:
    mounted(view, tmp_path / "first")
    write(machine, "etc/passwd", "root:x:0:0\nredis:x:7:7")
    with pytest.MonkeyPatch.context() as patch:

        def fail(*_arguments: object, **_options: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(shutil, "copyfile", fail)
        with pytest.raises(OSError, match="No space"):
            mounted(view, tmp_path / "second")
    assert "redis" in (mounted(view, tmp_path / "third") / "etc/passwd").read_text()


def test_containers_share_what_was_found_while_nothing_changes(
    view: HostView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(view, tmp_path / "first")

    def search(*_arguments: object) -> None:
        pytest.fail("the machine is searched for every container")

    monkeypatch.setattr(Path, "glob", search)
    monkeypatch.setattr(os, "walk", search)
    assert files(mounted(view, tmp_path / "second")) == set(PUBLIC)


def test_a_container_writes_to_a_layer_of_its_own(
    view: HostView, machine: Path, tmp_path: Path
) -> None:
    root = mounted(view, tmp_path / "c")
    for name in ("usr/bin/mine", "etc/mine", "tmp/mine", "var/log/mine", "root/mine"):
        (root / name).write_text("x")
    assert (root / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert not (machine / "usr/bin/mine").exists()
    assert not (mounted(view, tmp_path / "other") / "usr/bin/mine").exists()


def test_a_read_only_root_holds_for_the_folders_of_programs(view: HostView, tmp_path: Path) -> None:
    root = mounted(view, tmp_path / "c", read_only=True)
    with pytest.raises(OSError, match="Read-only"):
        (root / "usr/bin/mine").write_text("x")


def test_what_is_left_of_a_container_can_be_removed(view: HostView, tmp_path: Path) -> None:
    mounted(view, tmp_path / "c")
    mounts.unmount(tmp_path / "c/rootfs")
    remove_tree(tmp_path / "c")
    assert not (tmp_path / "c").exists()
