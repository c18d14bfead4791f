"""How commands print: options and shapes that several of them share."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import typer

Output = Literal["text", "json"]
OutputOption = Annotated[
    Output, typer.Option("-o", "--output", help="text for people, json for programs.")
]
# A command with this option asks cluster.choice which cluster it is.
NameOption = Annotated[
    str | None,
    typer.Option(
        "--name", help="The cluster's name.", show_default="that of kubectl, or the only one"
    ),
]


def show_help_without_command(context: typer.Context) -> None:
    """For a group's callback: explain the group when no command of it was named."""
    if context.invoked_subcommand is None:
        print(context.get_help())


def print_json(content: Any) -> None:
    """Print a document as indented JSON."""
    print(json.dumps(content, indent=2))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns, as kubectl does: three blanks between them, no rules."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("   ".join(cells).rstrip())


def mark_done(text: str) -> None:
    """Print a finished step; green where the output is a terminal that shows colours."""
    tick = "\x1b[32m✓\x1b[0m" if sys.stdout.isatty() else "✓"
    print(f"{tick} {text}", flush=True)


def tell_beside(line: str) -> None:
    """Say something beside the output, on standard error, with control characters escaped."""
    from pilotfish.client.visible import escape

    print(escape(line), file=sys.stderr, flush=True)


def megabytes(size: int) -> str:
    """Bytes as megabytes (10⁶ bytes)."""
    return f"{size / 1e6:.1f} MB"


def duration(seconds: float) -> str:
    """Seconds as kubectl writes ages: 42s, 3m10s, 5h7m, 2d3h."""
    whole = int(seconds)
    if whole < 120:
        return f"{whole}s"
    minutes, rest_s = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest_s}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours}h"
