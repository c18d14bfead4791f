"""`pilotfish tap`."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pilotfish.cli.output import tell_beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilotfish.tap.stats import Stats
    from pilotfish.tap.tapping import Options, Tapping

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Format = Literal["text", "wide", "json", "har", "pcapng"]


@app.command()
def tap(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Pods, Services, or regular expressions of their names."),
    ] = None,
    all_namespaces: Annotated[
        bool, typer.Option("-A", "--all-namespaces", help="Look at all namespaces.")
    ] = False,
    namespace: Annotated[
        str, typer.Option("-n", "--namespace", help="Look there.", show_default="the context's")
    ] = "",
    filter_text: Annotated[
        str, typer.Option("--filter", help="What to show, in the filter language (CEL).")
    ] = "",
    output: Annotated[Format, typer.Option("-o", "--output", help="The format.")] = "text",
    body: Annotated[bool, typer.Option("--body", help="Show bodies too.")] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="Keep a table per Service instead of lines.")
    ] = False,
    probes: Annotated[bool, typer.Option("--probes", help="Show kubelets' probes too.")] = False,
    no_redact: Annotated[
        bool, typer.Option("--no-redact", help="Show credentials and passwords.")
    ] = False,
    write: Annotated[
        Path | None, typer.Option(help="Write the packets to this pcapng file as well.")
    ] = None,
    read: Annotated[
        Path | None, typer.Option(help="Read this pcap or pcapng file instead of tapping.")
    ] = None,
    since: Annotated[
        str,
        typer.Option(
            help="Show the history since then (5m, 2h, or a time of RFC 3339), instead of tapping."
        ),
    ] = "",
    key_log: Annotated[
        Path | None, typer.Option("--tls-key-log", help="An SSLKEYLOGFILE to decrypt TLS with.")
    ] = None,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(help="Name addresses from this cluster, and capture on this machine."),
    ] = None,
    context: Annotated[
        str, typer.Option(help="The kubeconfig's context.", show_default="the current one")
    ] = "",
) -> None:
    """Show each request as it happens, with the Service it was sent to and the Pod chosen."""
    from pilotfish.tap.tapping import Options

    if read is None and output == "har" and sys.stdout.isatty():
        raise _error("a HAR file is not for the terminal", "-o har", "send it to a file: > F.har")
    if output == "pcapng" and sys.stdout.isatty():
        raise _error("packets are not for the terminal", "-o pcapng", "use --write F.pcapng")
    if since and read is not None:
        raise _error("a file has no history", "--since and --read", "use one of them")
    if since and no_redact:
        raise _error(
            "the history holds no secrets", "--no-redact", "they were left out when it was recorded"
        )
    _run(
        Options(
            names=tuple(names or ()),
            namespace=namespace,
            all_namespaces=all_namespaces,
            filter_text=filter_text,
            output=output,
            bodies=body,
            stats=stats,
            probes=probes,
            redact=not no_redact,
            write=write,
            read=read,
            since=since,
            key_log=key_log,
            kubeconfig=kubeconfig,
            context=context,
            colours=sys.stdout.isatty() and "NO_COLOR" not in os.environ,
        )
    )


def _run(options: Options) -> None:
    from pilotfish.client.config import ConfigError
    from pilotfish.client.errors import ApiError, Forbidden, Unreachable
    from pilotfish.tap.files.frame import CaptureFileError
    from pilotfish.tap.filter import FilterError
    from pilotfish.tap.formats.terminal import escape_block
    from pilotfish.tap.history.errors import HistoryError
    from pilotfish.tap.history.since import SinceError
    from pilotfish.tap.tapping import Tapping

    # What matters to who watches is told in words of its own; the rest would break the picture.
    logging.getLogger("pilotfish").addHandler(logging.NullHandler())
    try:
        show, tell = _stats_view(options.stats)
        tapping = Tapping(options, sys.stdout.buffer, show, tell, _terminal_width)
        _end_alike()
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(tapping.run())
        _tell_losses(tapping)
    except FilterError as error:
        # In lines of its own: a caret points at the place.
        print(escape_block(f"error: the filter means nothing: {error}"), file=sys.stderr)
        print("see docs/reference/filters.md for what it may say", file=sys.stderr)
        raise typer.Exit(1) from None
    except SinceError as error:
        raise _error("cannot look back", "--since", str(error)) from None
    except HistoryError as error:
        raise _error("cannot look back", str(error), "see: pilotfish tap --help") from None
    except (CaptureFileError, ConfigError) as error:
        raise _error("cannot tap", str(error), "see: pilotfish tap --help") from None
    except Forbidden as error:
        role = _role_for(options)
        raise _error("not allowed", error.message, f"ask for the ClusterRole {role}") from None
    except ApiError as error:
        raise _error("the cluster refuses", error.message, "check your context's user") from None
    except Unreachable as error:
        raise _error(
            "no answer from the cluster", str(error), "is it up? pilotfish status"
        ) from None
    except PermissionError as error:
        raise _error("not allowed", str(error), "run it as root, or choose another file") from None


def _role_for(options: Options) -> str:
    """The name of the smaller ClusterRole that allows what was asked for."""
    packets = options.write is not None or options.output == "pcapng" or not options.redact
    return f"system:pilotfish:{'packet' if packets else 'traffic'}-viewer"


def _end_alike() -> None:
    """Let `kill` and `timeout` end it as Ctrl-C does, with tables printed and files complete.

    A shell that starts us in the background has interrupts ignored; from here on they count.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def _terminal_width() -> int:
    """How many cells the terminal has now; 0 where lines go elsewhere."""
    if not sys.stdout.isatty():
        return 0
    import shutil

    return shutil.get_terminal_size().columns


def _stats_view(wanted: bool) -> tuple[Callable[[Stats], None], Callable[[str], None]]:
    """What shows the table, and what says a line beside it.

    On a terminal the table stays in its place, and lines go above it; elsewhere only the last one
    is printed.
    """
    from pilotfish.client.visible import escape
    from pilotfish.tap.formats import stats_table

    if not wanted or not sys.stdout.isatty():
        return _LastTable().show, tell_beside
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    live = Live(console=Console(), auto_refresh=False, vertical_overflow="crop")
    live.start()
    atexit.register(live.stop)

    def show(stats: Stats) -> None:
        table = stats_table.text(stats.services.values(), _terminal_width())
        live.update(Text(table, no_wrap=True, overflow="crop"), refresh=True)

    def tell(line: str) -> None:
        live.console.print(Text(escape(line)))

    return show, tell if sys.stderr.isatty() else tell_beside


class _LastTable:
    """Prints the table once, when everything is over."""

    def __init__(self) -> None:
        self._registered = False

    def show(self, stats: Stats) -> None:
        """Remember what to print."""
        if not self._registered:
            self._registered = True
            atexit.register(self._print, stats)

    @staticmethod
    def _print(stats: Stats) -> None:
        from pilotfish.tap.formats import stats_table

        print(stats_table.text(stats.services.values()))


def _tell_losses(tapping: Tapping) -> None:
    """What was not seen is said, so that nobody takes silence for absence."""
    for name, node in tapping.nodes.items():
        for counter, what in (("dropped", "packets"), ("lost", "entries"), ("skipped", "requests")):
            if node.counters.get(counter):
                tell_beside(f"{name}: {node.counters[counter]} {what} were lost")


def _error(what: str, where: str, mend: str) -> Exception:
    from pilotfish.cluster.errors import ClusterError

    return ClusterError(what, where, mend)
