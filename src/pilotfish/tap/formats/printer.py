"""Entries on their way to the terminal or a program, in the format that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Literal, Protocol

import orjson

from pilotfish.tap.entry import Entry
from pilotfish.tap.files.recorder import Recorder
from pilotfish.tap.formats import text
from pilotfish.tap.formats.har import HarWriter
from pilotfish.tap.formats.terminal import escape_json

Format = Literal["text", "wide", "json", "har", "pcapng"]


class Printer(Protocol):
    """Takes entries, whole ones."""

    def entry(self, entry: Entry) -> None:
        """Show an entry."""

    def close(self) -> None:
        """No more will come."""


class LinePrinter:
    """Lines for people."""

    def __init__(
        self,
        out: BinaryIO,
        wide: bool,
        bodies: bool,
        colours: bool,
        namespaces: bool,
        width: Callable[[], int],
    ) -> None:
        self._out = out
        self._wide = wide
        self._bodies = bodies
        self._colours = colours
        self._namespaces = namespaces
        self._width = width

    def entry(self, entry: Entry) -> None:
        """Print the entry, at once: people watch."""
        if self._wide:
            shown = text.wide_line(entry, self._colours)
        else:
            shown = text.line(entry, self._colours, self._namespaces, self._width())
        if self._bodies and (bodies := text.bodies(entry)):
            shown = f"{shown}\n{bodies}"
        self._out.write(shown.encode("utf-8", "replace") + b"\n")
        self._out.flush()

    def close(self) -> None:
        """Every line is out already."""


class JsonPrinter:
    """One JSON object a line."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def entry(self, entry: Entry) -> None:
        """Print the entry."""
        self._out.write(escape_json(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)))
        self._out.flush()

    def close(self) -> None:
        """Every line is out already."""


def printer(
    format_: Format,
    out: BinaryIO,
    bodies: bool,
    colours: bool,
    namespaces: bool,
    width: Callable[[], int] = int,
) -> Printer:
    """The printer of a format.

    Args:
        out: where to; flushed with each line.
        bodies: whether the lines for people are followed by the bodies.
        colours: whether those lines are coloured.
        namespaces: whether names in them carry their namespace.
        width: how many cells the terminal has now; 0 where the lines go elsewhere.
    """
    match format_:
        case "json":
            return JsonPrinter(out)
        case "har":
            return HarWriter(out.write)
        case "pcapng":
            return Recorder(out)
    return LinePrinter(out, format_ == "wide", bodies, colours, namespaces, width)
