"""The context is chosen once; everything else is read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotfish.client.config import ConfigError
from pilotfish.dashboard.kubeconfig import Kubeconfig
from support.dashboard import kubeconfig


def test_a_cluster_that_was_started_anew_is_found_where_it_is_now(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", "http://127.0.0.1:6443")
    read = Kubeconfig(path)
    assert read.read().server == "http://127.0.0.1:6443"
    assert not read.touched()
    kubeconfig(path, "http://127.0.0.1:64440")
    assert read.touched()
    assert read.read().server == "http://127.0.0.1:64440"
    assert not read.touched()


def test_the_page_does_not_follow_kubectl_to_another_cluster(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", context="one")
    read = Kubeconfig(path)
    read.read()
    kubeconfig(path, context="two")
    with pytest.raises(ConfigError, match="no context named 'one'"):
        read.read()


def test_a_kubeconfig_that_comes_later_is_noticed(tmp_path: Path) -> None:
    read = Kubeconfig(tmp_path / "config")
    with pytest.raises(ConfigError):
        read.read()
    assert not read.touched()
    kubeconfig(tmp_path / "config", context="one")
    assert read.touched()
    read.read()
    assert read.context == "one"
