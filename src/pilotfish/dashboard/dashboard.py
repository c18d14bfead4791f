"""What all viewers look at: the feed, who hears of its entries, and views of what was heard.

feed → history on disk, statistics, viewers
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace

import orjson

from pilotfish.client.api import Client
from pilotfish.client.informer import Informer
from pilotfish.dashboard.announcements import Announcements
from pilotfish.dashboard.catalog import Catalog, Cluster
from pilotfish.dashboard.feed import AnyViewer, Feed
from pilotfish.dashboard.graph import map_view
from pilotfish.dashboard.hub import Hub, Viewer
from pilotfish.dashboard.kubeconfig import Kubeconfig
from pilotfish.dashboard.messages import EndpointView, Hello, NodeView, Status
from pilotfish.dashboard.otlp_exporter import OtlpExporter
from pilotfish.dashboard.services import services_view
from pilotfish.dashboard.statistics import Statistics
from pilotfish.objects.meta import key_of, name_of
from pilotfish.tap.entry import Entry
from pilotfish.tap.files.frame import Frame
from pilotfish.tap.history.errors import HistoryError
from pilotfish.tap.history.folders import history_folder
from pilotfish.tap.history.follower import PacketFollower
from pilotfish.tap.history.history import History
from pilotfish.tap.history.packets import PacketHistory
from pilotfish.tap.history.reader import Span
from pilotfish.tap.viewer import NodeStatus
from pilotfish.version import __version__

log = logging.getLogger(__name__)

MakesViewer = Callable[[Client, Callable[[NodeStatus], None], Callable[[Frame], None]], AnyViewer]

TICK_S = 1.0
_RATE_S = 5
_REST = 5.0  # times as long as working out the views took
# A page is quicker than the lists of a cluster that it was opened on.
_KNOW_S = 1.0
_PEERS_WINDOW_S = 300


class Dashboard:
    """One cluster, seen by any number of viewers.

    Attributes:
        feed: follows the cluster.
        hub: the viewers.
        statistics: of all entries since the start.
        history, packets: what was kept on disk; None until the cluster's name is known.
    """

    def __init__(
        self,
        kubeconfig: Kubeconfig,
        viewer: MakesViewer,
        follows_packets: bool,
        tell: Callable[[str], None],
        exporter: OtlpExporter | None = None,
    ) -> None:
        """Make one.

        Args:
            kubeconfig: says which cluster.
            viewer: makes a viewer of its traffic, of a client, who hears of nodes' streams, and
                who hears packets.
            follows_packets: whether packets are asked of the workers; else the viewer has them.
            tell: is told, in a line, of what the person at the terminal should know.
            exporter: sends entries elsewhere, too.
        """
        self.feed = Feed(
            kubeconfig,
            lambda client, on_status: viewer(client, on_status, self._hear_packet),
            self.hear,
            self._changed,
            self._companions,
        )
        self.hub = Hub()
        self.statistics = Statistics()
        self.history: History | None = None
        self.packets: PacketHistory | None = None
        self._follows_packets = follows_packets
        self._tell = tell
        self._exporter = exporter
        self._catalog: Catalog | None = None
        self._known = asyncio.Event()
        self._namespaces: list[str] = []
        self._heard = 0
        self._counts: deque[int] = deque([0], maxlen=_RATE_S + 1)
        self._hello = b""
        self._announcements = Announcements()
        self._stood: tuple[object, ...] = ()
        self._span: Span | None = None

    async def run(self) -> None:
        """Follow and show until cancelled.

        Raises:
            PermissionError: for a capture on this machine by somebody who may not.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.feed.run(), name="feed")
                tasks.create_task(self._record(), name="history")
                tasks.create_task(self._tick(), name="views")
                if self._exporter is not None:
                    tasks.create_task(self._exporter.run(), name="spans")
        except ExceptionGroup as group:
            refused, others = group.split(PermissionError)
            if refused is None or others is not None:
                raise
            raise refused.exceptions[0] from None
        finally:
            for each in (self.history, self.packets):
                if each is not None:
                    each.close()

    # --- messages --------------------------------------------------------------------------

    def hello(self) -> Hello:
        """What a page is told first."""
        return {
            "type": "hello",
            "version": __version__,
            "context": self.feed.state.context,
            "server": self.feed.state.server,
            "namespaces": self._namespaces,
        }

    def status(self) -> Status:
        """How things stand."""
        state, span = self.feed.state, self._span
        return {
            "type": "status",
            "connected": state.connected,
            "problem": state.problem,
            "retry_at": state.retry_at_s * 1000 if state.retry_at_s is not None else None,
            "nodes": [_node(node) for _, node in sorted(state.nodes.items())],
            "entries_per_s": (self._counts[-1] - self._counts[0]) / _RATE_S,
            "history_since": span.first_us / 1000 if span else None,
            "history_bytes": span.bytes if span else 0,
            "recording": self.history is not None and self.history.recording,
        }

    def services(self, window_s: int) -> bytes:
        """A `messages.ServicesView`."""
        window = self.statistics.window(window_s, time.time())
        return orjson.dumps(services_view(self.cluster(), window))

    def map(self, window_s: int) -> bytes:
        """A `messages.MapView`."""
        window = self.statistics.window(window_s, time.time())
        return orjson.dumps(map_view(self.cluster().pods, window))

    def peers(self, entry: Entry) -> list[EndpointView]:
        """The endpoints of the Service that an entry went to, as they are now."""
        service = entry["dst"].get("service")
        if service is None:
            return []
        key, cluster = f"{service['namespace']}/{service['name']}", self.cluster()
        only = replace(cluster, services=[each for each in cluster.services if key_of(each) == key])
        window = self.statistics.window(_PEERS_WINDOW_S, time.time())
        return [
            each
            for view in services_view(only, window)["services"]
            for each in view["endpoints"]
            if not each["gone"]
        ]

    async def know(self) -> None:
        """Return once the cluster's objects are known; after a moment in any case."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._known.wait(), _KNOW_S)

    async def look(self) -> None:
        """Read kernels and Events, which are else read only while a page follows Services."""
        if self._catalog is not None:
            await self._catalog.look()

    def cluster(self) -> Cluster:
        """The cluster's objects, as they are or as they were when it was lost."""
        return self._catalog.cluster() if self._catalog is not None else Cluster()

    def welcome(self, viewer: Viewer) -> None:
        """Tell a new viewer how things stand."""
        self.hub.viewers.add(viewer)
        viewer.post("hello", orjson.dumps(self.hello()))
        viewer.post("status", orjson.dumps(self.status()))

    def show_views(self, viewers: Sequence[Viewer]) -> None:
        """Send these viewers the views that they follow; each is worked out once."""
        for kind, make in (("services", self.services), ("map", self.map)):
            made: dict[int, bytes] = {}
            for viewer in viewers:
                if viewer.follow[kind]:  # type: ignore[literal-required]
                    window_s = viewer.follow["window_s"]
                    if window_s not in made:
                        made[window_s] = make(window_s)
                    viewer.post(kind, made[window_s])

    # --- the feed --------------------------------------------------------------------------

    def hear(self, entry: Entry) -> None:
        """Take what was seen."""
        try:
            self._take(entry)
        except Exception:
            # One that we do not understand must not end the view of all others.
            log.exception("an entry could not be taken")

    def _take(self, entry: Entry) -> None:
        # Probes are hidden from who does not ask for them: a rate of them beside an empty list
        # would puzzle.
        self._heard += not entry["probe"]
        if self.history is not None:
            self.history.record(entry)
        self.statistics.add(entry, self._catalog.ready(entry) if self._catalog else None)
        self.hub.hear(entry)
        if self._exporter is not None and not entry["probe"]:
            self._exporter.add(entry)

    def _hear_packet(self, frame: Frame) -> None:
        """Keep a packet."""
        if self.packets is not None:
            self.packets.record(frame)

    def _changed(self) -> None:
        """The connection may have changed: say so, in the terminal and to the pages."""
        state = self.feed.state
        nodes = tuple((node.name, node.connected, node.problem) for node in state.nodes.values())
        stands = (state.connected, state.problem, state.retry_at_s, nodes)
        if stands != self._stood:
            self._stood = stands
            self.hub.post("status", orjson.dumps(self.status()))
        for line in self._announcements.news(state, time.monotonic()):
            self._tell(line)

    def _companions(self, client: Client) -> list[Coroutine[None, None, None]]:
        followers = [self._follow_objects(client), self._follow_namespaces(client)]
        if self._follows_packets:
            followers.append(PacketFollower(client, self._hear_packet).run())
        return followers

    async def _follow_objects(self, client: Client) -> None:
        catalog = Catalog(client)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(catalog.run())
            await catalog.wait_synced()
            # Until then what was known of the cluster before is better than nothing.
            self._catalog = catalog
            self._known.set()

    async def _follow_namespaces(self, client: Client) -> None:
        informer = Informer(client, "namespaces")

        def changed(_old: object, _new: object) -> None:
            if informer.synced.is_set():
                self._namespaces = sorted(name_of(each) for each in informer.values())

        informer.on_change(changed)
        async with informer.running():
            changed(None, None)
            await asyncio.Event().wait()

    # --- what goes on beside ---------------------------------------------------------------

    async def _record(self) -> None:
        """Keep a history, as soon as it is known whose."""
        await self.feed.named.wait()
        folder = history_folder(self.feed.state.context)
        try:
            self.history = History(folder, tell=self._tell)
            self.packets = PacketHistory(folder, tell=self._tell)
        except HistoryError as error:
            self._tell(f"no history is kept: {error}")
            return
        await asyncio.gather(self.history.run(), self.packets.run())

    async def _tick(self) -> None:
        """Send what is sent every second."""
        views_again_s = 0.0
        while True:
            self._counts.append(self._heard)
            hello = orjson.dumps(self.hello())
            if hello != self._hello:
                self._hello = hello
                self.hub.post("hello", hello)
            if self.history is not None:
                # It looks at files.
                self._span = await asyncio.to_thread(self.history.span)
            self.hub.post("status", orjson.dumps(self.status()))
            viewers = list(self.hub.viewers)
            if self._catalog is not None:
                self._catalog.follows_slots = any(each.follow["services"] for each in viewers)
            now_s = time.monotonic()
            if now_s >= views_again_s:
                self.show_views(viewers)
                # Of a large cluster they take time, which entries need too.
                views_again_s = now_s + _REST * (time.monotonic() - now_s)
            await asyncio.sleep(TICK_S)


def _node(node: NodeStatus) -> NodeView:
    count = node.counters.get
    return {
        "name": node.name,
        "connected": node.connected,
        "problem": node.problem,
        "packets": count("packets", 0),
        "dropped": count("dropped", 0),
        "entries": count("entries", 0),
        "lost": count("lost", 0),
        "skipped": count("skipped", 0),
    }
