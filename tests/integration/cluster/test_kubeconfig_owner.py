"""Behind sudo, a kubeconfig stays its owner's, and root follows nobody's links."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish.client import invoker
from pilotfish.cluster import kubeconfig
from pilotfish.cluster.errors import ClusterError

ANN = pwd.getpwnam("nobody")
NAME = "pilotfish-default"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder of hers, in folders that she can enter; she typed sudo."""
    opened = [one for one in tmp_path.parents if one != Path("/") and not one.stat().st_mode & 1]
    for folder in [*opened, tmp_path]:
        folder.chmod(folder.stat().st_mode | 0o011)
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, ANN.pw_uid, ANN.pw_gid)
    monkeypatch.setenv("SUDO_UID", str(ANN.pw_uid))
    yield home
    for folder in opened:
        folder.chmod(folder.stat().st_mode & ~0o011)


def add(path: Path) -> None:
    kubeconfig.add(path, NAME, "https://127.0.0.1:6443", b"CA", b"CERT", b"KEY")


def owner(path: Path) -> tuple[int, int]:
    return path.lstat().st_uid, path.lstat().st_gid


def test_the_file_and_its_folder_are_hers_also_after_every_change(home: Path) -> None:
    path = home / ".kube" / "config"
    add(path)
    for one in (path.parent, path):
        assert owner(one) == (ANN.pw_uid, ANN.pw_gid)
    kubeconfig.remove(path, NAME)
    assert owner(path) == (ANN.pw_uid, ANN.pw_gid)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["config"]


def test_a_mode_that_she_chose_stays(home: Path) -> None:
    path = home / "config"
    path.touch(mode=0o640)
    path.chmod(0o640)
    os.chown(path, ANN.pw_uid, ANN.pw_gid)
    add(path)
    assert path.stat().st_mode & 0o777 == 0o640
    assert owner(path) == (ANN.pw_uid, ANN.pw_gid)


def test_a_link_out_of_her_home_is_not_followed_with_the_rights_of_root(
    home: Path, tmp_path: Path
) -> None:
    roots = tmp_path / "roots"
    roots.mkdir()
    (roots / "config").write_text("")
    for link, target in ((home / "file", roots / "config"), (home / "folder", roots)):
        link.symlink_to(target)
        os.chown(link, ANN.pw_uid, ANN.pw_gid, follow_symlinks=False)
    for path in (home / "file", home / "folder" / "config", home / "folder" / "new"):
        with pytest.raises(ClusterError, match="cannot be written"):
            add(path)
    assert [one.name for one in roots.iterdir()] == ["config"]
    assert (roots / "config").read_text() == ""
    assert owner(roots / "config") == (0, 0)


def test_a_folder_that_became_roots_is_named_with_the_command_that_gives_it_back(
    home: Path,
) -> None:
    (home / ".kube").mkdir(mode=0o700)
    with pytest.raises(ClusterError) as caught:
        add(home / ".kube" / "config")
    assert caught.value.mend == f"give it to its owner: sudo chown -R {ANN.pw_uid} {home}/.kube"


def test_a_new_file_in_a_folder_that_is_open_to_all_is_hers(tmp_path: Path, home: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    add(shared / "config")
    assert owner(shared / "config") == (ANN.pw_uid, ANN.pw_gid)


def test_a_file_of_roots_stays_roots(tmp_path: Path, home: Path) -> None:
    add(tmp_path / "root" / "config")
    assert owner(tmp_path / "root") == owner(tmp_path / "root" / "config") == (0, 0)


def test_a_link_of_roots_leads_to_the_owner_of_what_it_names(tmp_path: Path, home: Path) -> None:
    (tmp_path / "link").symlink_to(home)
    add(tmp_path / "link" / "config")
    assert owner(home / "config") == (ANN.pw_uid, ANN.pw_gid)


def test_links_in_a_circle_are_an_error(tmp_path: Path, home: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(ClusterError, match="cannot be written"):
        add(tmp_path / "a" / "config")


def test_the_rights_of_root_come_back(home: Path) -> None:
    before = os.geteuid(), os.getegid(), os.getgroups()
    with pytest.raises(ZeroDivisionError), invoker.as_owner_of(home / "x", os.environ):
        assert os.geteuid() == ANN.pw_uid
        assert os.getegid() == ANN.pw_gid
        assert 0 not in os.getgroups()
        raise ZeroDivisionError
    assert (os.geteuid(), os.getegid(), os.getgroups()) == before


def test_root_keeps_nothing_in_a_home_that_is_hers(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    roots = Path(pwd.getpwuid(0).pw_dir) / ".local" / "state"
    assert invoker.state_home(os.environ) == roots
    os.chown(home, 0, 0)
    assert invoker.state_home(os.environ) == home / ".local" / "state"
