"""Build the dashboard's page when a wheel is made from a checkout (`pip install .`).

A hook of the build backend (hatchling). Where Node.js is missing or too old, it comes from PyPI
into pip's own build environment, and leaves with it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_COMMANDS = (
    ("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"),
    ("npm", "run", "build", "--", "--logLevel", "warn"),
)


class PageBuildHook(BuildHookInterface[Any]):
    """Runs npm in web/ unless the page is there and newer than what it is made of."""

    def dependencies(self) -> list[str]:
        """What pip installs for the build; asked for before `initialize`."""
        if not self._to_do() or _node_will_do():
            return []
        return [str(self.config["node"])]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Called before the files of a wheel are collected; version: "standard" or "editable"."""
        if version == "editable" or not self._to_do():
            return
        for command in _COMMANDS:
            done = subprocess.run(
                command,
                cwd=self._web,
                capture_output=True,
                text=True,
                env=_environment(),
                check=False,
            )
            if done.returncode:
                raise SystemExit(
                    f"{done.stdout}{done.stderr}\n"
                    f"error: the dashboard's page was not built; {' '.join(command)} in "
                    f"{self._web}; fix what it says above, and run this again"
                )

    @property
    def _web(self) -> Path:
        return Path(self.root, "web")

    def _to_do(self) -> bool:
        if not self._web.is_dir():
            return False
        page = Path(self.root, "src/pilotfish/dashboard/static/index.html")
        return not page.exists() or page.stat().st_mtime < max(_changes(self._web))


def _changes(web: Path) -> list[float]:
    """When each source of the page was written."""
    found = []
    for folder, folders, files in os.walk(web):
        if "node_modules" in folders:
            folders.remove("node_modules")
        found += [Path(folder, file).stat().st_mtime for file in files]
    return found


def _node_will_do() -> bool:
    """Whether npm is here, and a Node.js that the bundler takes (20.19, 22.12 or newer)."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return False
    done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    found = re.fullmatch(r"v(\d+)\.(\d+)\..*", done.stdout.strip())
    if done.returncode or found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return major > 22 or (major, minor) >= (22, 12) or (major == 20 and minor >= 19)


def _environment() -> dict[str, str]:
    """npm asks nobody, whoever called pip."""
    return {**os.environ, "CI": "true"}
