"""The group of all commands: finds a command's file when it is asked for.

Each command is a file of this package. A file is imported only when its command runs, so that
`pilotfish version` does not pay for what `pilotfish up` needs.
"""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from pilotfish.cli.output import show_help_without_command

# Command → one line of help. The module is pilotfish.cli.<command>.
COMMANDS = {
    "up": "Start a cluster, or repair one that is partly dead.",
    "down": "Remove a cluster and everything of it.",
    "status": "Show nodes, processes, addresses and memory of the clusters.",
    "logs": "Show the log of a cluster's processes.",
    "tap": "Show each request as it happens, and the Pod that was chosen.",
    "proxy": "Show the traffic in a browser.",
    "mcp": "Let an assistant ask about Services and traffic (Model Context Protocol).",
    "tables": "Say what a node's kernel does with packets for a Service.",
    "apiserver": "Be one more API server of a cluster whose objects are in etcd.",
    "kube-proxy": "Be this machine's kube-proxy, for any Kubernetes cluster.",
    "image": "Load, list and remove images.",
    "version": "Show the versions of Pilotfish and of its Kubernetes API.",
}


class _LazyGroup(TyperGroup):
    """A group that knows its commands' names and imports a command when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 the group's interface
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"pilotfish.cli.{cmd_name.replace('-', '_')}")
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
