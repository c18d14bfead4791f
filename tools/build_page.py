"""Build the dashboard's page when a wheel is made from a checkout (`pip install .`).

A hook of the build backend (hatchling). Where Node.js is missing, the package comes without the
page, and `pilotfish proxy` says how to get it: everything else shall not wait for it.
"""

from __future__ import annotations

import os
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
    """Runs npm in web/ unless the page is there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Called before the files of a wheel are collected; version: "standard" or "editable"."""
        web = Path(self.root, "web")
        page = Path(self.root, "src/pilotfish/dashboard/static/index.html")
        if version == "editable" or page.exists() or not web.is_dir():
            return
        if shutil.which("npm") is None:
            self.app.display_warning("no npm: the package comes without the dashboard's page")
            return
        for command in _COMMANDS:
            done = subprocess.run(
                command, cwd=web, capture_output=True, text=True, env=_environment(), check=False
            )
            if done.returncode:
                said = done.stdout + done.stderr
                self.app.display_warning(
                    f"the dashboard's page was not built: {' '.join(command)} failed:\n{said}"
                )
                return


def _environment() -> dict[str, str]:
    """npm asks nobody, whoever called pip."""
    return {**os.environ, "CI": "true"}
