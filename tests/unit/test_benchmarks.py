"""Benchmarks run from a clean checkout, and count what a start needs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def in_checkout(program: str) -> str:
    """What a program prints that is run as `make bench` runs its own."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "tests"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_benchmark_can_be_imported() -> None:
    in_checkout(
        "import importlib, benchmarks.__main__ as main\n"
        "for name in main.BENCHMARKS: importlib.import_module(f'benchmarks.{name}')"
    )


def test_the_floor_of_a_start_is_what_a_start_imports() -> None:
    floor = in_checkout("from benchmarks import startup; print(startup.LIBRARIES)")
    imported = in_checkout(
        "import sys, pilotfish.cluster.launcher, pilotfish.cluster.control_plane\n"
        "import pilotfish.cluster.node_process\n"
        "from pilotfish.cluster import pki\n"
        "from pathlib import Path; from tempfile import TemporaryDirectory\n"
        "with TemporaryDirectory() as folder: pki.write_pki(Path(folder), 'x', ['127.0.0.1'], {})\n"
        "print(sorted(sys.modules))"
    )
    assert {name.strip() for name in floor.split(",")} <= set(ast.literal_eval(imported))


def test_a_start_loads_what_seldom_is_needed_later() -> None:
    imported = in_checkout(
        "import sys, pilotfish.cluster.launcher, pilotfish.cluster.control_plane\n"
        "import pilotfish.cluster.node_process\n"
        "print(sorted(sys.modules))"
    )
    later = {"cryptography", "h2", "hpack", "jwt", "lark", "mcp", "re2", "rich", "typer"}
    assert not later & set(ast.literal_eval(imported))
