"""`pilotfish down`."""

from __future__ import annotations

from typing import Annotated

import typer

from pilotfish.cli.output import mark_done

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def down(
    name: Annotated[
        str | None,
        typer.Option(
            "--name", help="The cluster's name.", show_default="that of kubectl, or default"
        ),
    ] = None,
) -> None:
    """Remove a cluster and everything of it: processes, namespaces, routes, files, context."""
    from pilotfish.cluster import choice, remains
    from pilotfish.cluster.down import down as take_down

    chosen = choice.choose_to_remove(name)
    if take_down(chosen, mark_done):
        print(f"Cluster {chosen!r} is gone.")
        return
    known = ", ".join(remains.names()) or "none"
    print(f"There is no cluster {chosen!r} (clusters here: {known}): nothing to remove.")
