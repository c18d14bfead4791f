"""One run of `pilotfish proxy`: the server, what it shows, and what the terminal says."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pilotfish.client.config import ConfigError
from pilotfish.dashboard import server
from pilotfish.dashboard.access import Access, link_token
from pilotfish.dashboard.dashboard import Dashboard
from pilotfish.dashboard.kubeconfig import Kubeconfig
from pilotfish.dashboard.otlp_exporter import OtlpExporter
from pilotfish.dashboard.sources import dashboard_of
from pilotfish.dashboard.state import Record, Running, secret, state_folder

_KEY, _API_TOKEN = "proxy-key", "api-token"


@dataclass(frozen=True)
class Options:
    """What was asked for; see `pilotfish proxy --help`."""

    address: str = "127.0.0.1"
    port: int = 8899
    kubeconfig: Path | None = None
    context: str = ""
    otlp: str = ""


class PortTakenError(Exception):
    """Somebody else listens there; the text says who."""


class Proxying:
    """A run; it ends with Ctrl-C, or when it is terminated."""

    def __init__(
        self, options: Options, tell: Callable[[str], None], show: Callable[[str], None]
    ) -> None:
        """Prepare a run.

        Args:
            options: what was asked for.
            tell: says a line in the terminal.
            show: opens a link in a browser, or prints it.

        Raises:
            OSError: where the state folder cannot be used.
            EndpointError: where no collector of spans can be.
        """
        self._options = options
        self._tell = tell
        self._show = show
        self._folder = state_folder()
        self._key = secret(self._folder, _KEY)
        self._record = Record(self._folder, options.port)
        self._kubeconfig = Kubeconfig(options.kubeconfig, options.context)
        self._exporter = OtlpExporter(options.otlp, tell) if options.otlp else None

    def link_of_running(self) -> str | None:
        """A link to our own proxy of the same cluster, where one runs on this port already."""
        running = self._record.read()
        # One that began without a kubeconfig follows the first context that came.
        if running is None or running.context not in ("", self._context()):
            return None
        if running.kubeconfig != str(self._options.kubeconfig or ""):
            return None
        return f"{running.url}/?token={link_token(self._key, running.instance, time.time())}"

    async def run(self) -> None:
        """Serve until a signal ends it.

        Raises:
            PortTakenError: the port is not free.
            OSError: nobody can listen at this address.
        """
        options = self._options
        access = Access(self._key, secret(self._folder, _API_TOKEN), secrets.token_hex(8))
        dashboard = dashboard_of(self._kubeconfig, self._tell, self._exporter)
        url = f"http://{_in_url(options.address)}:{options.port}"

        def print_link() -> None:
            self._tell(f"for another visit: {url}/?token={access.link_token()}")

        app = server.application(dashboard, access, options.address, options.port, print_link)
        running = Running(
            url, str(options.kubeconfig or ""), self._context(), access.instance, os.getpid()
        )
        async with contextlib.AsyncExitStack() as stack:
            try:
                runner = await server.start(app, options.address, options.port)
                stack.push_async_callback(runner.cleanup)
                self._record.write(running)
                stack.callback(self._record.close)
            except OSError as error:
                # The same port of another address is somebody else's, too.
                if error.errno in (errno.EADDRINUSE, errno.EAGAIN):
                    raise PortTakenError(f"{self._holder()} listens there") from None
                raise
            if not _is_loopback(options.address):
                self._tell("what is shown can be read on the way: it is not encrypted")
            self._show(f"{url}/?token={access.link_token()}")
            await _until_signal(dashboard)

    def _holder(self) -> str:
        """Who has the port, and perhaps its record."""
        other = self._record.read()
        return f"the proxy of {other.context}" if other else "another program"

    def _context(self) -> str:
        """The context that was asked for: the current one, if none was named."""
        if not self._kubeconfig.context:
            # Without a kubeconfig there is none yet.
            with contextlib.suppress(ConfigError):
                self._kubeconfig.read()
        return self._kubeconfig.context


async def _until_signal(dashboard: Dashboard) -> None:
    loop, running = asyncio.get_running_loop(), asyncio.create_task(dashboard.run())
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    # nohup means that the end of the terminal is not the end of the command.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _in_url(address: str) -> str:
    """An address to open: who listens everywhere is found at the loopback address."""
    named = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    return f"[{named}]" if ":" in named else named
