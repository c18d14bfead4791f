"""`pilotfish logs`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from pilotfish.cli.output import NameOption

if TYPE_CHECKING:
    from pathlib import Path

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

    preflight.check_root("read logs")
    cluster = state.require(choice.choose(name))
    known = ["supervisor", *cluster.components]
    if component and component not in known:
        raise ClusterError(
            "no such component",
            f"{component!r} in cluster {cluster.name!r}",
            f"choose one of: {', '.join(known)}",
            EXIT_UNKNOWN,
        )
    chosen = [component] if component else known
    paths = {one: cluster.folders.log(one) for one in chosen}
    positions = {one: _show(one, path, tail, len(chosen) > 1) for one, path in paths.items()}
    while follow:
        time.sleep(_POLL_S)
        for one, path in paths.items():
            positions[one] = _show_from(one, path, positions[one], len(chosen) > 1)


def _show(component: str, path: Path, tail: int | None, prefixed: bool) -> int:
    """Print the log's last `tail` lines. Returns the position of its end."""
    if not path.exists():
        return 0
    content = path.read_bytes()
    lines = content.splitlines()
    if tail is not None:
        lines = lines[len(lines) - tail :] if tail < len(lines) else lines
    _print(component, lines, prefixed)
    return len(content)


def _show_from(component: str, path: Path, position: int, prefixed: bool) -> int:
    """Print the whole lines after `position`. Returns the position after them."""
    if not path.exists():
        return position
    with path.open("rb") as log:
        log.seek(position)
        content = log.read()
    whole = content[: content.rfind(b"\n") + 1]
    _print(component, whole.splitlines(), prefixed)
    return position + len(whole)


def _print(component: str, lines: list[bytes], prefixed: bool) -> None:
    for line in lines:
        text = line.decode(errors="replace")
        # A line of JSON names its component, and is to stay JSON.
        names_itself = text.startswith("{")
        sys.stdout.write(
            f"[{component}] {text}\n" if prefixed and not names_itself else f"{text}\n"
        )
    sys.stdout.flush()
