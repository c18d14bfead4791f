"""The `pilotfish` command: finds the subcommand's file, and turns failures into one line.

Each subcommand is a file of this package with a function of its name; a file is imported only when
its command runs, so that `pilotfish version` does not pay for what `pilotfish up` needs.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import traceback
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from pilotfish.cli.output import show_help_without_command

# Command → one line of help. The module is pilotfish.cli.<command>.
COMMANDS = {
    "up": "Start a cluster, or mend one that is partly dead.",
    "down": "Remove a cluster and everything of it.",
    "status": "Show nodes, processes, addresses and memory of the clusters.",
    "logs": "Show the log of a cluster's processes.",
    "image": "Load, list and remove images.",
    "version": "Show the versions of Pilotfish and of the Kubernetes API it serves.",
}

_EXIT_FAILED = 1
_EXIT_INTERRUPTED = 130


class _LazyGroup(TyperGroup):
    """A group that knows its commands' names and imports a command when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 the group's interface
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"pilotfish.cli.{cmd_name}")
        command = get_command(module.app)
        command.name = cmd_name
        command.short_help = COMMANDS[cmd_name]
        return command


app = typer.Typer(
    cls=_LazyGroup,
    name="pilotfish",
    help="Kubernetes Services, real and visible, on any Linux machine.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root(context: typer.Context) -> None:
    """Without a command, show what there is."""
    show_help_without_command(context)


def main() -> int:
    """Run the command line. Returns the exit code; see docs/reference/cli.md."""
    try:
        return int(app(standalone_mode=False) or 0)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _report(error)


def _report(error: Exception) -> int:
    from pilotfish.cluster.errors import ClusterError

    if isinstance(error, ClusterError):
        print(f"error: {error.what}; {error.where}; {error.mend}", file=sys.stderr)
        return error.exit_code
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        # A mistake in the command's words, found by the parser.
        context = getattr(error, "ctx", None)
        help_hint = f"{context.command_path} --help" if context else "pilotfish --help"
        print(f"error: {error.format_message().rstrip('.')}; see: {help_hint}", file=sys.stderr)
        return int(error.exit_code)
    with tempfile.NamedTemporaryFile(
        "w", prefix="pilotfish-error-", suffix=".log", delete=False
    ) as report:
        traceback.print_exception(error, file=report)
    print(
        f"error: {type(error).__name__}: {error}; this is a defect of pilotfish; "
        f"please report it with {report.name}",
        file=sys.stderr,
    )
    return _EXIT_FAILED
