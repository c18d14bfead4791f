"""`pilotfish mcp`."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from pilotfish.cli.output import tell_beside

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def mcp(
    kubeconfig: Annotated[
        Path | None,
        typer.Option(help="Name addresses from this cluster, and capture on this machine."),
    ] = None,
    context: Annotated[
        str, typer.Option(help="The kubeconfig's context.", show_default="the current one")
    ] = "",
) -> None:
    """Let an assistant ask about Services and traffic (Model Context Protocol, over stdio)."""
    # Standard output is the protocol's; what matters is told in words of its own.
    logging.getLogger("pilotfish").addHandler(logging.NullHandler())
    try:
        asyncio.run(_serve(kubeconfig, context))
    except PermissionError as error:
        from pilotfish.cluster.errors import ClusterError

        raise ClusterError("not allowed", str(error), "run it as root") from None


async def _serve(kubeconfig: Path | None, context: str) -> None:
    from mcp.server.mcpserver import MCPServer
    from mcp.types import ToolAnnotations

    from pilotfish.dashboard.assistant import INSTRUCTIONS, Assistant
    from pilotfish.dashboard.kubeconfig import Kubeconfig
    from pilotfish.dashboard.sources import dashboard_of
    from pilotfish.version import __version__

    dashboard = dashboard_of(Kubeconfig(kubeconfig, context), tell_beside)
    server = MCPServer(
        "pilotfish", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING"
    )
    for tool in Assistant(dashboard).tools():
        server.add_tool(tool, annotations=ToolAnnotations(read_only_hint=True))
    following = asyncio.create_task(dashboard.run())
    # Ends when the assistant closes our standard input.
    serving = asyncio.create_task(server.run_stdio_async())
    tasks = (following, serving)
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if task.done():
            task.result()
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
