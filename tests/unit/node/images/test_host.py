"""Which folders image `host` shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotfish.node.images import host


def test_the_path_is_a_container_images_and_leads_to_python() -> None:
    (variable,) = host.host_config().env
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


@pytest.mark.parametrize(
    ("python", "shown"),
    [
        ("", ()),
        ("/usr/bin", ()),
        ("/opt/python/bin", ()),
        ("/root/.pyenv/versions/3.13.1/bin", ("root/.pyenv/versions/3.13.1",)),
        ("/home/ann/miniconda3/bin", ("home/ann/miniconda3",)),
        ("/home/ann/bin", ()),
        ("/root/bin", ()),
        ("/srv/bin", ()),
    ],
)
def test_a_python_elsewhere_is_shown_but_never_with_a_home(
    python: str, shown: tuple[str, ...]
) -> None:
    assert host.program_folders(python) == (*host.PROGRAM_FOLDERS, *shown)
