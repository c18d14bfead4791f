"""`pilotfish logs`."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from pilotfish.cli.output import NameOption

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_POLL_S = 0.2


@app.command()
def logs(
    component: Annotated[
        str, typer.Argument(help="supervisor, control-plane or a node.", show_default="all")
    ] = "",
    name: NameOption = None,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Go on as lines are written.")
    ] = False,
    tail: Annotated[
        int | None, typer.Option(help="Only the last lines.", show_default="all", min=0)
    ] = None,
) -> None:
    """Show the log of a cluster's processes."""
    from pilotfish.cluster import choice, preflight, state
    from pilotfish.cluster.errors import EXIT_UNKNOWN, ClusterError
    from pilotfish.cluster.log_reader import LogReader
    from pilotfish.cluster.paths import SUPERVISOR

    preflight.check_root("read logs")
    cluster = state.require(choice.choose(name))
    known = [SUPERVISOR, *cluster.components]
    if component and component not in known:
        raise ClusterError(
            "no such component",
            f"{component!r} in cluster {cluster.name!r}",
            f"choose one of: {', '.join(known)}",
            EXIT_UNKNOWN,
        )
    chosen = [component] if component else known
    readers = {one: LogReader(cluster.folders.log(one)) for one in chosen}
    for one, reader in readers.items():
        lines = reader.new_lines()
        _print(one, lines if tail is None else lines[max(0, len(lines) - tail) :], len(chosen) > 1)
    while follow:
        time.sleep(_POLL_S)
        for one, reader in readers.items():
            _print(one, reader.new_lines(), len(chosen) > 1)


def _print(component: str, lines: list[bytes], prefixed: bool) -> None:
    from pilotfish.client.visible import escape

    for line in lines:
        # Not all in a log is written by our formatters: a program that dies writes as it likes.
        text = escape(line.decode(errors="replace"))
        # A line of JSON names its component, and is to stay JSON.
        names_itself = text.startswith("{")
        sys.stdout.write(
            f"[{component}] {text}\n" if prefixed and not names_itself else f"{text}\n"
        )
    sys.stdout.flush()
