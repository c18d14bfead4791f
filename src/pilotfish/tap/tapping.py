"""One run of the tap: from where entries come to where a person sees them.

a capture file, the history, the cluster's workers, or this machine's own interfaces
  → selection and filter → lines, JSON, HAR, pcapng, or a table that stays
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pilotfish.client.api import Client
from pilotfish.client.config import ClientConfig
from pilotfish.client.errors import ApiError, Unreachable
from pilotfish.objects.meta import name_of
from pilotfish.tap.entry import Entry, LazyEntry
from pilotfish.tap.files.pcapng import PcapngStream
from pilotfish.tap.files.recorder import Recorder, private_file
from pilotfish.tap.filter import compile as compile_filter
from pilotfish.tap.formats.printer import Format, Printer, printer
from pilotfish.tap.history.folders import history_folder
from pilotfish.tap.history.history import HistoryView
from pilotfish.tap.history.looking_back import (
    context_to_look_at,
    namespace_of_context,
    shortcoming,
)
from pilotfish.tap.history.packets import PacketView
from pilotfish.tap.history.replay import Replay
from pilotfish.tap.history.since import parse_since
from pilotfish.tap.history.streaming import portions
from pilotfish.tap.identity import Identity
from pilotfish.tap.key_log import KeyLog
from pilotfish.tap.local import LocalViewer, Recording
from pilotfish.tap.naming import Naming
from pilotfish.tap.readiness import Readiness
from pilotfish.tap.reading import read_entries
from pilotfish.tap.redaction import redacted
from pilotfish.tap.selection import selection
from pilotfish.tap.stats import Stats
from pilotfish.tap.viewer import NodeStatus, Viewer, packets_path
from pilotfish.tap.viewing import PacketViewer
from pilotfish.tap.watched import absent, watched

StatsView = Callable[[Stats], None]

_SHOW_EVERY_S = 0.5
_AGAIN_S = 1.0


@dataclass(frozen=True)
class Options:
    """What was asked for; see `pilotfish tap --help`."""

    names: tuple[str, ...] = ()
    namespace: str = ""
    all_namespaces: bool = False
    filter_text: str = ""
    output: Format = "text"
    bodies: bool = False
    stats: bool = False
    probes: bool = False
    redact: bool = True
    write: Path | None = None
    read: Path | None = None
    since: str = ""
    key_log: Path | None = None
    kubeconfig: Path | None = None
    context: str = ""
    colours: bool = False


class Tapping:
    """A run; entries come until it is cancelled, or the file or the history ends."""

    def __init__(
        self,
        options: Options,
        out: BinaryIO,
        show_stats: StatsView,
        tell: Callable[[str], None],
        width: Callable[[], int] = int,
    ) -> None:
        """Prepare a run.

        Args:
            options: what was asked for.
            out: where lines, JSON or files go.
            show_stats: shows the statistics, again and again.
            tell: says beside all that, in a line, what is watched, and what is not seen.
            width: how many cells the terminal has now; 0 where lines go elsewhere.

        Raises:
            FilterError: for a filter that means nothing.
        """
        # The user's own part first: an error points into what was typed.
        compile_filter(options.filter_text)
        self._options = options
        self._stats = Stats()
        self._show_stats = show_stats
        self._printer: Printer = printer(
            options.output,
            out,
            bodies=options.bodies,
            colours=options.colours,
            namespaces=options.all_namespaces,
            width=width,
        )
        self._tell = tell
        self._unseen: set[str] = set()
        self._shown = 0
        self._readiness: Readiness | None = None
        self.nodes: dict[str, NodeStatus] = {}

    async def run(self) -> None:
        """Show what there is to see.

        Raises:
            ApiError, Unreachable, ConfigError: where the cluster cannot be asked.
            CaptureFileError: where the file cannot be read.
            HistoryError, SinceError, OSError: where the history cannot be.
        """
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._printer.close)
            recorder = self._recorder(stack)
            if self._options.read is not None:
                await self._read(self._options.read, recorder)
                self._tell_if_nothing()
            elif self._options.since:
                await self._look_back(recorder)
            else:
                await self._follow(stack, recorder)

    def _tell_if_nothing(self) -> None:
        if not self._shown:
            self._tell("no request was found that matches")

    def _recorder(self, stack: contextlib.AsyncExitStack) -> Recorder | None:
        """The writer of packets, if they are to be written; its file ends with the run."""
        if isinstance(self._printer, Recorder):
            return self._printer
        if self._options.write is None:
            return None
        recorder = Recorder(stack.enter_context(private_file(self._options.write)))
        stack.callback(recorder.close)
        return recorder

    # --- a capture file --------------------------------------------------------------------

    async def _read(self, path: Path, recorder: Recorder | None) -> None:
        options = self._options
        namespace = options.namespace  # a file has no context: all namespaces unless one is named
        chosen = compile_filter(selection(namespace, options.names, options.filter_text))
        keys = KeyLog(options.key_log) if options.key_log else None
        names = await self._names()

        def hear(entry: LazyEntry) -> None:
            if (entry["probe"] and not options.probes) or not chosen.matches(entry):
                return
            if options.stats and recorder is None:
                self._shown += 1
                self._stats.add(entry)
            else:
                whole = entry.whole()
                self._take(redacted(whole) if options.redact else whole, recorder)

        on_frame = recorder.packet if recorder is not None else None
        read_entries(path, names, hear, keys, on_frame)
        if options.stats:
            self._show_stats(self._stats)

    async def _names(self) -> Identity:
        """The names of a cluster as they are now, or none."""
        if self._options.kubeconfig is None:
            return Identity()
        config = ClientConfig.from_kubeconfig(self._options.kubeconfig, self._options.context)
        async with Client(config) as client:
            await client.list("namespaces")  # says at once what is wrong
            naming = Naming(client)
            following = asyncio.create_task(naming.run())
            await naming.wait_synced()
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            return naming.identity

    # --- the history -----------------------------------------------------------------------

    async def _look_back(self, recorder: Recorder | None) -> None:
        """Show what was recorded since then; it ends there, since what follows is another thing."""
        options = self._options
        since_us = parse_since(options.since, time.time_ns() // 1000)
        context = context_to_look_at(options.kubeconfig, options.context)
        namespace = options.namespace or namespace_of_context(options.kubeconfig, context)
        chosen = compile_filter(
            selection(
                "" if options.all_namespaces else namespace, options.names, options.filter_text
            )
        )
        folder = history_folder(context)
        view = HistoryView(folder, self._tell)
        lack = shortcoming(context, view.span(), since_us)
        if lack:
            self._tell(lack)
        replay = Replay(PacketView(folder, self._tell)) if recorder is not None else None

        def wanted(entry: Entry) -> bool:
            return (options.probes or not entry["probe"]) and chosen.matches(entry)

        async for portion in portions(view.query(since_us), wanted):
            for entry in portion:
                if replay is not None:
                    replay.add(entry)
                self._show(entry, recorder)
        if not lack:
            self._tell_if_nothing()
        if options.stats:
            self._show_stats(self._stats)
        if replay is not None and recorder is not None:
            async for _ in portions(replay.write(recorder)):
                pass  # the recorder has them

    # --- a cluster -------------------------------------------------------------------------

    async def _follow(self, stack: contextlib.AsyncExitStack, recorder: Recorder | None) -> None:
        options = self._options
        config = ClientConfig.from_kubeconfig(options.kubeconfig, options.context)
        client = await stack.enter_async_context(Client(config, user_agent="pilotfish/tap"))
        namespace = "" if options.all_namespaces else options.namespace or config.namespace
        wanted = selection(namespace, options.names, options.filter_text)
        self._tell(watched(namespace, options.names, options.filter_text))
        for line in await absent(client, namespace, options.names):
            self._tell(line)
        followers: list[Coroutine[None, None, None]] = []
        if options.stats:
            self._readiness = Readiness(client)
            followers += [self._readiness.run(), self._keep_showing()]
        viewer: Viewer | LocalViewer
        if options.kubeconfig is not None:
            matches = compile_filter(wanted).matches
            packets = PacketViewer(namespace, options.names)
            record = Recording(packets, recorder.packet) if recorder is not None else None
            viewer = LocalViewer(client, matches, options.probes, options.redact, record=record)
        else:
            viewer = Viewer(client, wanted, options.probes, options.redact, self._on_status)
            if recorder is not None:
                for node in (await client.list("nodes"))["items"]:
                    path = packets_path(name_of(node), namespace, options.names)
                    followers.append(_record(client, path, recorder, self._tell))
        self.nodes = viewer.nodes
        tasks = [asyncio.create_task(each) for each in (self._hear(viewer, recorder), *followers)]
        try:
            # None ends but by an error.
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self, viewer: Viewer | LocalViewer, recorder: Recorder | None) -> None:
        async for entry in viewer.entries():
            self._take(entry, recorder)

    def _on_status(self, status: NodeStatus) -> None:
        """Silence must not be taken for absence: who watches is told of it as it happens."""
        if status.connected and status.name in self._unseen:
            self._unseen.discard(status.name)
            self._tell(f"{status.name}: seen again")
        elif status.problem and status.name not in self._unseen:
            self._unseen.add(status.name)
            self._tell(f"{status.name}: not seen, trying again: {status.problem}")

    async def _keep_showing(self) -> None:
        try:
            while True:
                self._show_stats(self._stats)
                await asyncio.sleep(_SHOW_EVERY_S)
        finally:
            self._show_stats(self._stats)

    # --- entries ---------------------------------------------------------------------------

    def _take(self, entry: Entry, recorder: Recorder | None) -> None:
        if recorder is not None:
            recorder.entry(entry)
        self._show(entry, recorder)

    def _show(self, entry: Entry, recorder: Recorder | None) -> None:
        self._shown += 1
        if self._options.stats:
            self._stats.add(entry, self._ready(entry))
        elif self._printer is not recorder:
            self._printer.entry(entry)

    def _ready(self, entry: Entry) -> list[tuple[str, str]] | None:
        service = entry["dst"].get("service")
        if self._readiness is None or service is None:
            return None
        return self._readiness.ready(service["namespace"], service["name"])


async def _record(
    client: Client, path: str, recorder: Recorder, tell: Callable[[str], None]
) -> None:
    """Follow a node's packets; a worker that restarts begins a new stream.

    Raises:
        ApiError: the viewer may not see packets.
    """
    told = False
    while True:
        stream = PcapngStream()
        try:
            async for piece in client.stream(path):
                told = False
                for frame in stream.feed(piece):
                    recorder.packet(frame)
        except (ApiError, Unreachable) as error:
            # Asking again gives nobody the right to see packets.
            if isinstance(error, ApiError) and error.code in (401, 403):
                raise
            if not told:
                tell(f"packets are missing, trying again: {error}")
            told = True
        await asyncio.sleep(_AGAIN_S)
