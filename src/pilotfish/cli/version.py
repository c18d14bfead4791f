"""`pilotfish version`."""

from __future__ import annotations

import typer

from pilotfish.cli.output import OutputOption, print_json
from pilotfish.version import KUBERNETES_VERSION, __version__

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def version(output: OutputOption = "text") -> None:
    """Show the versions of Pilotfish and of the Kubernetes API it serves."""
    if output == "json":
        print_json({"pilotfish": __version__, "kubernetes": KUBERNETES_VERSION})
        return
    print(f"Pilotfish {__version__}")
    print(f"Kubernetes {KUBERNETES_VERSION}")
