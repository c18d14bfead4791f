"""Kubeconfig files are read by kubectl's rules, and refused with words that help."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml

from pilotfish.client.config import ClientConfig, ConfigError


def kubeconfig(path: Path, **changes: object) -> Path:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443/"}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
        **changes,
    }
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_current_context_is_used(tmp_path: Path) -> None:
    config = ClientConfig.from_kubeconfig(kubeconfig(tmp_path / "config"))
    assert (config.server, config.token) == ("https://127.0.0.1:6443", "secret")
    assert config.namespace == "default"


def test_of_several_files_the_first_that_has_a_name_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kubeconfig(tmp_path / "first", clusters=[], **{"current-context": ""})
    second = kubeconfig(tmp_path / "second", users=[{"name": "u", "user": {"token": "other"}}])
    monkeypatch.setenv("KUBECONFIG", f"{first}:{tmp_path / 'missing'}:{second}")
    config = ClientConfig.from_kubeconfig()
    assert (config.server, config.token) == ("https://127.0.0.1:6443", "secret")


def test_certificates_are_read_from_data_and_from_files_beside_the_kubeconfig(
    tmp_path: Path,
) -> None:
    (tmp_path / "ca.crt").write_text("a certificate")
    cluster = {"server": "https://h", "certificate-authority": "ca.crt"}
    user = {"client-certificate-data": base64.b64encode(b"pem").decode()}
    config = ClientConfig.from_kubeconfig(
        kubeconfig(
            tmp_path / "config",
            clusters=[{"name": "c", "cluster": cluster}],
            users=[{"name": "u", "user": user}],
        )
    )
    assert config.ca == tmp_path / "ca.crt"
    assert config.cert == b"pem"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"current-context": ""}, "no current-context"),
        ({"current-context": "away"}, "no context named 'away' .there is: here"),
        ({"clusters": []}, "names cluster 'c', which has no server"),
        ({"users": [{"name": "u", "user": {"exec": {}}}]}, "logs in through a plug-in"),
        (
            {"users": [{"name": "u", "user": {"client-key-data": "?"}}]},
            "client-key-data is no base64",
        ),
        (
            {"clusters": [{"name": "c", "cluster": {"server": "s", "certificate-authority": "x"}}]},
            "certificate-authority names .*x, which does not exist",
        ),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_says_what_is_wrong(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        ClientConfig.from_kubeconfig(kubeconfig(tmp_path / "config", **changes))


def test_a_missing_kubeconfig_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist; start a cluster: pilotfish up"):
        ClientConfig.from_kubeconfig(tmp_path / "none")


@pytest.mark.parametrize("content", ["[1, 2]", "a: [", "\x00"])
def test_a_file_that_is_no_kubeconfig_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "config").write_text(content)
    with pytest.raises(ConfigError, match="config"):
        ClientConfig.from_kubeconfig(tmp_path / "config")
