"""`pilotfish proxy`."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from pathlib import Path
from typing import Annotated

import typer

from pilotfish.cli.output import tell_beside

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def proxy(
    port: Annotated[int, typer.Option(help="Where to serve.", min=1, max=65535)] = 8899,
    address: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address only.")
    ] = False,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(help="Name addresses from this cluster, and capture on this machine."),
    ] = None,
    context: Annotated[
        str, typer.Option(help="The kubeconfig's context.", show_default="the current one")
    ] = "",
    otlp: Annotated[
        str,
        typer.Option(
            help="Send requests as OpenTelemetry spans to this collector (OTLP over HTTP).",
            envvar="OTEL_EXPORTER_OTLP_ENDPOINT",
            metavar="URL",
        ),
    ] = "",
) -> None:
    """Show the traffic in a browser: requests, Services, and who talks to whom."""
    from pilotfish.dashboard.otlp_exporter import EndpointError
    from pilotfish.dashboard.proxying import Options, PortTakenError, Proxying

    logging.getLogger("pilotfish").addHandler(_Defects())
    show = _print if no_browser else _open
    try:
        proxying = Proxying(Options(address, port, kubeconfig, context, otlp), tell_beside, show)
        running = proxying.link_of_running()
        if running is not None:
            print("runs already; this is a link for one visit")
            show(running)
            return
        asyncio.run(proxying.run())
    except PortTakenError as error:
        raise _error(str(error), f"{address}:{port}", "choose another --port") from None
    except EndpointError as error:
        raise _error(
            "no spans can be sent", str(error), "give one such as http://127.0.0.1:4318"
        ) from None
    except PermissionError as error:
        raise _error("not allowed", str(error), "run it as root, or choose another port") from None
    except OSError as error:
        where = str(error.filename or f"{address}:{port}")
        raise _error(
            f"cannot serve: {error.strerror or error}", where, "see: pilotfish proxy --help"
        ) from None


class _Defects(logging.Handler):
    """Tells of what nobody expected, once. All else that matters is told in words of its own."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._told: set[tuple[str, type | None]] = set()

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        kind = (record.msg, type(error))
        if kind in self._told:
            return
        self._told.add(kind)
        why = f": {type(error).__name__}: {error}" if error is not None else ""
        tell_beside(f"defect of pilotfish, please report: {record.getMessage()}{why}")


def _open(link: str) -> None:
    """Open a browser where there is a desktop; the link is printed in any case."""
    _print(link)
    # The desktop is not that of the user whom sudo makes us.
    if {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ) and "SUDO_USER" not in os.environ:
        # Some browsers are waited for until they are there.
        threading.Thread(target=_open_browser, args=(link,), daemon=True).start()


def _open_browser(link: str) -> None:
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return  # a desktop without a browser: the link was printed
    # A text browser would take the terminal over.
    is_text = isinstance(browser, webbrowser.GenericBrowser)
    if not is_text or isinstance(browser, webbrowser.BackgroundBrowser):
        browser.open(link)


def _print(link: str) -> None:
    print(f"open {link}", flush=True)


def _error(what: str, where: str, mend: str) -> Exception:
    from pilotfish.cluster.errors import ClusterError

    return ClusterError(what, where, mend)
