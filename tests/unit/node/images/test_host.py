"""What of the machine the image `host` hides."""

from __future__ import annotations

from pathlib import Path

from pilotfish.node.images.host import host_config, secret_paths


def test_only_what_exists_is_hidden_and_nothing_within_something_hidden(tmp_path: Path) -> None:
    for folder in ("root/.ssh", "home/ann/.kube", "var/lib/pilotfish/one", "etc"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/shadow").touch()
    found = secret_paths(tmp_path, ("var/lib/pilotfish/one",))
    assert sorted(found) == ["etc/shadow", "home/ann/.kube", "root/.ssh", "var/lib/pilotfish"]


def test_the_path_is_a_container_images_and_leads_to_python() -> None:
    (variable,) = host_config().env
    folders = variable.removeprefix("PATH=").split(":")
    assert folders[:6] == [
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
        "/bin",
    ]
    assert any((Path(folder) / "python3").exists() for folder in folders)
