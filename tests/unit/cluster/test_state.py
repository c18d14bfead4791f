"""What is written down about a cluster."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import pytest

from pilotfish.cluster import paths, state
from pilotfish.cluster.errors import EXIT_UNKNOWN, ClusterError
from pilotfish.cluster.plan import WantedRanges, plan_cluster
from pilotfish.cluster.state import ClusterState


@pytest.fixture(autouse=True)
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "STATE_ROOT", tmp_path / "lib")
    monkeypatch.setattr(paths, "RUN_ROOT", tmp_path / "run")
    return tmp_path


def make(name: str) -> ClusterState:
    cluster = plan_cluster(name, 2, [], WantedRanges(), 6443, "2026-01-01T00:00:00Z")
    cluster.folders.create()
    return cluster


def test_what_is_saved_is_loaded() -> None:
    cluster = make("default")
    state.save(cluster)
    assert state.load("default") == cluster
    assert cluster.folders.state.stat().st_mode & 0o777 == 0o700


def test_clusters_are_listed_by_name_and_images_are_none(roots: Path) -> None:
    assert state.names() == []
    for name in ("two", "one"):
        state.save(make(name))
    (roots / "lib" / "images").mkdir()
    assert state.names() == ["one", "two"]


def test_an_unknown_name_says_which_are_known() -> None:
    state.save(make("demo"))
    with pytest.raises(ClusterError, match="no such cluster") as caught:
        state.require("dema")
    assert "demo" in caught.value.where
    assert caught.value.exit_code == EXIT_UNKNOWN


def test_a_broken_file_names_itself_and_the_mend() -> None:
    cluster = make("default")
    cluster.folders.state_file.write_text('{"name": "default"}')
    with pytest.raises(ClusterError) as caught:
        state.load("default")
    assert caught.value.where == str(cluster.folders.state_file)
    assert "pilotfish down" in caught.value.mend


def test_fields_of_a_newer_version_are_passed_over() -> None:
    cluster = make("default")
    state.save(cluster)
    content = json.loads(cluster.folders.state_file.read_text())
    content["moons"] = content["nodes"][0]["moon"] = "io"
    cluster.folders.state_file.write_text(json.dumps(content))
    assert state.load("default") == cluster


def test_a_damaged_file_does_not_hide_the_other_clusters() -> None:
    state.save(make("one"))
    make("two").folders.state_file.write_text("")
    assert [cluster.name for cluster in state.readable()] == ["one"]


@pytest.mark.parametrize(
    ("text", "kubeconfigs"),
    [
        ("", ()),
        ("[]", ()),
        ('{"pod_network": "10.244.0.0/16", "kubeconfigs": ["/k"]}', ("/k",)),
        ('{"pod_network": "10.2', ()),
        ('{"pod_network": "moon", "kubeconfigs": 7}', ()),
    ],
)
def test_what_is_left_of_a_damaged_file_is_enough_to_remove_the_cluster(
    text: str, kubeconfigs: tuple[str, ...]
) -> None:
    make("default").folders.state_file.write_text(text)
    cluster = state.remains("default")
    assert cluster.name == "default"
    assert cluster.nodes == ()
    assert cluster.kubeconfigs == kubeconfigs


def test_without_its_file_a_cluster_is_known_by_its_name() -> None:
    assert state.remains("other").name == "other"


def test_two_cannot_work_on_a_cluster_at_once() -> None:
    with (
        state.locked("default"),
        pytest.raises(ClusterError, match="another pilotfish"),
        state.locked("default"),
    ):
        raise AssertionError("the second lock was granted")
    with state.locked("default"):
        pass


def test_the_lock_of_a_cluster_that_does_not_exist_leaves_no_file() -> None:
    with pytest.raises(ClusterError), state.locked("default"):
        state.require("default")
    assert list(paths.RUN_ROOT.iterdir()) == []


def test_a_lock_whose_file_was_removed_meanwhile_is_not_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def flock_while_the_file_goes(_descriptor: int, _operation: int) -> None:
        (paths.RUN_ROOT / "default.lock").unlink()

    monkeypatch.setattr(fcntl, "flock", flock_while_the_file_goes)
    with pytest.raises(ClusterError, match="another pilotfish"), state.locked("default"):
        raise AssertionError("a lock that others cannot see was granted")
