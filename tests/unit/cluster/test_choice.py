"""Commands that are given no cluster choose the same one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pilotfish.cluster import choice, state
from pilotfish.cluster.errors import ClusterError


@pytest.fixture
def current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config"
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


def clusters(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(state, "names", lambda: list(names))


def test_it_is_the_cluster_of_the_current_context(
    current: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clusters(monkeypatch, "default", "demo")
    current.write_text(yaml.safe_dump({"current-context": "pilotfish-demo"}))
    assert choice.choose(None) == "demo"


def test_a_name_that_is_given_goes_first(current: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clusters(monkeypatch, "default", "demo")
    current.write_text(yaml.safe_dump({"current-context": "pilotfish-demo"}))
    assert choice.choose("default") == "default"
    # "" is what `--name "$NAME"` gives where NAME is not set.
    for wrong in ("No Name", ""):
        with pytest.raises(ClusterError):
            choice.choose(wrong)
        with pytest.raises(ClusterError):
            choice.choose_to_remove(wrong)


def test_what_takes_down_asks_for_more_than_that_it_is_the_only_one(
    current: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clusters(monkeypatch, "demo")
    assert choice.choose_to_remove(None) == "default"
    current.write_text(yaml.safe_dump({"current-context": "pilotfish-demo"}))
    assert choice.choose_to_remove(None) == "demo"


@pytest.mark.parametrize("context", ["", "kind-demo", "pilotfish-gone"])
def test_it_is_the_only_one_when_the_context_is_of_no_cluster_here(
    current: Path, monkeypatch: pytest.MonkeyPatch, context: str
) -> None:
    current.write_text(yaml.safe_dump({"current-context": context}))
    clusters(monkeypatch, "demo")
    assert choice.choose(None) == "demo"
    clusters(monkeypatch, "a", "demo")
    assert choice.choose(None) == "default"
    clusters(monkeypatch)
    assert choice.choose(None) == "default"


@pytest.mark.parametrize("content", [None, "{", "- a list"])
def test_a_kubeconfig_that_says_nothing_is_no_hindrance(
    current: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    if content is not None:
        current.write_text(content)
    clusters(monkeypatch, "demo")
    assert choice.choose(None) == "demo"
