"""`pilotfish apiserver`."""

from __future__ import annotations

from typing import Annotated

import typer

from pilotfish.cli.output import NameOption

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def apiserver(
    name: NameOption = None,
    port: Annotated[
        int, typer.Option(help="Port of 127.0.0.1 to serve on.", min=1, max=65535)
    ] = 7443,
) -> None:
    """Be one more API server of a cluster whose objects are in etcd, until interrupted."""
    from pilotfish.cluster import choice, further_api_server

    raise typer.Exit(further_api_server.run(choice.choose(name), port))
