"""What `up` and `down` do to the user's kubeconfig."""

from __future__ import annotations

import base64
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml

from pilotfish.cluster import kubeconfig
from pilotfish.cluster.errors import ClusterError

OTHER: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "work", "cluster": {"server": "https://work:6443"}}],
    "contexts": [{"name": "work", "context": {"cluster": "work", "user": "me", "namespace": "x"}}],
    "users": [{"name": "me", "user": {"exec": {"command": "get-token", "args": ["-v"]}}}],
    "current-context": "work",
    "preferences": {"colors": True},
}


def add(path: Path, name: str = "pilotfish-default") -> None:
    kubeconfig.add(path, name, "https://127.0.0.1:6443", b"CA", b"CERT", b"KEY")


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded


def test_a_new_file_holds_one_current_context_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / ".kube" / "config"
    add(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load(path) == {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "pilotfish-default",
                "cluster": {
                    "certificate-authority-data": base64.b64encode(b"CA").decode(),
                    "server": "https://127.0.0.1:6443",
                },
            }
        ],
        "contexts": [
            {
                "name": "pilotfish-default",
                "context": {"cluster": "pilotfish-default", "user": "pilotfish-default"},
            }
        ],
        "users": [
            {
                "name": "pilotfish-default",
                "user": {
                    "client-certificate-data": base64.b64encode(b"CERT").decode(),
                    "client-key-data": base64.b64encode(b"KEY").decode(),
                },
            }
        ],
        "current-context": "pilotfish-default",
    }


def test_up_and_down_leave_other_clusters_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(OTHER))
    add(path)
    during = load(path)
    assert during["current-context"] == "pilotfish-default"
    assert during["preferences"] == OTHER["preferences"]
    assert OTHER["users"][0] in during["users"]
    assert kubeconfig.remove(path, "pilotfish-default")
    assert load(path) == OTHER


def test_adding_twice_changes_nothing_but_the_credentials(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(OTHER))
    add(path)
    once = path.read_text()
    add(path)
    assert path.read_text() == once
    kubeconfig.remove(path, "pilotfish-default")
    assert load(path)["current-context"] == "work"


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_clusters_that_go_in_any_order_give_back_what_was_current(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(OTHER))
    for name in "abc":
        add(path, f"pilotfish-{name}")
    for name in order:
        kubeconfig.remove(path, f"pilotfish-{name}")
        left = {entry["name"] for entry in load(path)["contexts"]}
        assert load(path)["current-context"] in left
    assert load(path) == OTHER


def test_down_clears_the_current_context_when_the_earlier_one_is_gone() -> None:
    config = kubeconfig.with_context(OTHER, "a", "https://a", b"", b"", b"")
    without = kubeconfig.without_context({**config, "contexts": config["contexts"][1:]}, "a")
    assert without["current-context"] == ""


def test_down_keeps_a_current_context_that_is_not_ours() -> None:
    config = kubeconfig.with_context(OTHER, "a", "https://a", b"", b"", b"")
    config["current-context"] = "work"
    assert kubeconfig.without_context(config, "a") == OTHER


def test_removing_what_is_not_there_says_so_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config"
    assert not kubeconfig.remove(path, "pilotfish-default")
    assert not path.exists()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles"
    real.write_text(yaml.safe_dump(OTHER))
    link = tmp_path / "config"
    link.symlink_to(real)
    add(link)
    assert link.is_symlink()
    assert load(real)["current-context"] == "pilotfish-default"


@pytest.mark.parametrize("text", ["{", "- a list"])
def test_a_file_that_is_no_kubeconfig_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(ClusterError) as caught:
        add(path)
    assert str(path) in caught.value.where
    assert path.read_text() == text
    assert [entry.name for entry in tmp_path.iterdir()] == ["config"]


def test_a_file_that_cannot_be_written_is_noticed_before_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "file" / "config"):
        with pytest.raises(ClusterError, match="the kubeconfig cannot be written"):
            kubeconfig.check(place)
    kubeconfig.check(tmp_path / "new" / "config")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_lock_of_kubectl_is_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeconfig, "_LOCK_WAIT_S", 0.0)
    (tmp_path / "config.lock").touch()
    with pytest.raises(ClusterError, match="locked"):
        add(tmp_path / "config")
    assert not (tmp_path / "config").exists()


def test_the_first_existing_file_of_the_list_is_written(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    environment = {"KUBECONFIG": f"{first}:{second}"}
    assert kubeconfig.target_path(environment) == second, "the last when none exists"
    second.touch()
    assert kubeconfig.target_path(environment) == second
    first.touch()
    assert kubeconfig.target_path(environment) == first
    assert kubeconfig.target_path({"HOME": "/home/me"}) == Path("/home/me/.kube/config")
