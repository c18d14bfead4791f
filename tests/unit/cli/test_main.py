"""The command line: what it prints, what it exits with, what it does not import."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

import pytest

from pilotfish.cli import main as cli
from pilotfish.cli.app import COMMANDS
from pilotfish.version import KUBERNETES_VERSION, __version__


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pilotfish", *arguments], capture_output=True, text=True, check=False
    )


def test_version_in_text_and_json() -> None:
    assert run("version").stdout.splitlines() == [
        f"Pilotfish {__version__}",
        f"Kubernetes {KUBERNETES_VERSION}",
    ]
    assert json.loads(run("version", "-o", "json").stdout) == {
        "pilotfish": __version__,
        "kubernetes": KUBERNETES_VERSION,
    }


def test_version_imports_nothing_heavy() -> None:
    program = (
        "import sys; sys.argv = ['pilotfish', 'version'];"
        "from pilotfish.cli.main import main; main();"
        "heavy = {'aiohttp', 'asyncio', 'cryptography', 'rich', 'uvloop', 'yaml'};"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_explains_itself(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert f"pilotfish {command}" in done.stdout


def test_help_lists_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tow"], "No such command 'tow'"),
        (["up", "--nodes", "two"], "Invalid value for '--nodes'"),
        (["up", "--name", "No_Name"], "not a name for a cluster; 'No_Name'; use up to 40"),
        (["up", "--nodez", "2"], "No such option: --nodez"),
    ],
)
def test_a_mistake_is_one_line_without_traceback(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("swallowed", [False, True])
def test_an_interrupt_says_how_to_go_on(
    swallowed: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(**_options: object) -> int:
        if swallowed:  # As the parser does while a command runs.
            return 130
        raise KeyboardInterrupt

    monkeypatch.setattr("pilotfish.cli.app.app", interrupted)
    monkeypatch.setattr(sys, "argv", ["pilotfish", "down"])
    assert cli._run() == 130
    expected = "error: interrupted; pilotfish down; run it again to remove the rest\n"
    assert capsys.readouterr().err == expected


def test_a_defect_is_one_line_and_leaves_its_traceback_in_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    try:
        raise RuntimeError("oh")
    except RuntimeError as error:
        assert cli._report(error) == 1
    line = capsys.readouterr().err
    assert line.startswith("error: RuntimeError: oh; this is a defect of pilotfish; ")
    report = line.rsplit(" ", 1)[1].strip()
    with open(report) as file:  # noqa: PTH123
        assert "Traceback" in file.read()
