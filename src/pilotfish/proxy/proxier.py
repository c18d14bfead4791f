"""The proxy of one node: follows Services, EndpointSlices and Nodes, and writes the tables.

A change marks its Service as dirty and wakes the one loop that writes. The loop takes all that is
dirty, asks `services.wanted` for each, and applies the difference as one transaction. So a lone
change goes to the kernel at once, and under load changes gather while the one before is written.

At start all tables are replaced in one transaction, whatever was there (see `kernel`); when the
kernel refuses a change, because somebody else has meddled with the tables, likewise.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pilotfish.client.api import Client
from pilotfish.client.informer import Informer
from pilotfish.objects.meta import Object, key_of, labels_of, namespace_of
from pilotfish.proxy import announce, conntrack, services
from pilotfish.proxy.announce import Announcer
from pilotfish.proxy.family import FAMILIES, IPV4, Family, family_of
from pilotfish.proxy.kernel import AnotherWriterError, KernelTables, TableWriter, WriterLock
from pilotfish.proxy.nfnetlink import NetfilterError, NetfilterSocket
from pilotfish.proxy.services import NodeFacts, load_balancer_addresses
from pilotfish.proxy.tables import Change, Tables, Wanted

log = logging.getLogger(__name__)

SERVICE_NAME = "kubernetes.io/service-name"
_CHUNK = 200  # Services worked out before the event loop gets a turn
_LARGE_ELEMENTS = 1_000  # from here on a transaction is worth a thread
_RETRY_S = 1.0
_LOCK_RETRY_S = 0.1


@dataclass(frozen=True)
class ProxyConfig:
    """What a node's proxy is told.

    `service_ranges`: CIDRs whose addresses are Services' only; refused where no Service answers.
    `link`: leads to the network on which LoadBalancer addresses are; "": none are answered for.
    """

    node_name: str
    service_ranges: tuple[str, ...] = ()
    link: str = "eth0"


class FamilyProxy:
    """One address family: what its tables hold, and the writer that makes it so."""

    def __init__(self, family: Family, writer: TableWriter) -> None:
        self.family = family
        self.tables = Tables()
        self._writer = writer
        self._replaces = True

    async def sync(
        self,
        wanted: dict[str, Wanted],
        own: tuple[str, ...] | None = None,
        ranges: tuple[str, ...] | None = None,
    ) -> Change:
        """Bring the kernel to what is wanted. Raises NetfilterError when it refuses even that."""
        change = self.tables.change(wanted, own, ranges)
        if not self._replaces:
            try:
                await _call(self._writer.apply, change)
                return change
            except NetfilterError as error:
                log.warning(
                    "table %s pilotfish refused a change (%s); writing all of it anew",
                    self.family.name, error,
                )  # fmt: skip
        self._replaces = True
        everything = self.tables.everything()
        await _call(self._writer.replace, everything)
        self._replaces = False
        return everything


async def _call(write: Callable[[Change], None], change: Change) -> None:
    """Write here what takes less than handing it to a thread would."""
    if change.size > _LARGE_ELEMENTS:
        await asyncio.to_thread(write, change)
    elif change:
        write(change)


class Proxier:
    """kube-proxy for the node named in `config`, in the network namespace of the caller."""

    def __init__(self, client: Client, config: ProxyConfig) -> None:
        self._config = config
        self._services = Informer(client, "services")
        self._slices = Informer(client, "endpointslices.discovery.k8s.io")
        self._nodes = Informer(client, "nodes")
        self._slices.index("service", _service_of_slice)
        self._facts = NodeFacts(config.node_name)
        self._dirty: set[str] = set()
        self._nodes_changed = True
        self._balanced: set[str] = set()  # Services with LoadBalancer addresses
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Keep the tables right until cancelled; they stay when it ends."""
        lock = await _locked()
        netfilter = NetfilterSocket()
        announcer = Announcer(self._config.link) if self._config.link else None
        try:
            async with asyncio.TaskGroup() as tasks:
                for informer in (self._services, self._slices, self._nodes):
                    tasks.create_task(informer.run())
                for informer in (self._services, self._slices, self._nodes):
                    await informer.synced.wait()
                self._services.on_change(self._service_changed)
                self._slices.on_change(self._slice_changed)
                self._nodes.on_change(self._node_changed)
                await self._write(netfilter, announcer)
        finally:
            if announcer:
                announcer.close()
            netfilter.close()
            lock.release()

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        self._mark(key_of(new or old or {}))

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        for endpoint_slice in (old, new):
            if endpoint_slice is not None:
                for key in _service_of_slice(endpoint_slice):
                    self._mark(key)

    def _node_changed(self, _old: Object | None, _new: Object | None) -> None:
        self._nodes_changed = True
        self._wake.set()

    def _mark(self, key: str) -> None:
        self._dirty.add(key)
        self._wake.set()

    async def _write(self, netfilter: NetfilterSocket, announcer: Announcer | None) -> None:
        families = [
            FamilyProxy(family, KernelTables(netfilter, family)) for family in self._families()
        ]
        self._wake.set()  # without Services, too, there are tables to write
        while True:
            await self._wake.wait()
            self._wake.clear()
            dirty, self._dirty = self._dirty, set()
            nodes_changed, self._nodes_changed = self._nodes_changed, False
            try:
                with _no_collection(many=len(dirty) > _CHUNK):
                    await self._sync(families, dirty, nodes_changed, netfilter)
                if announcer:
                    self._announce(announcer, dirty, nodes_changed)
            except OSError as error:
                log.error("the tables could not be written (%s); trying again", error)
                self._dirty |= dirty
                self._nodes_changed |= nodes_changed
                await asyncio.sleep(_RETRY_S)
                self._wake.set()

    def _families(self) -> list[Family]:
        given = {family_of(cidr) for cidr in self._config.service_ranges}
        return [family for family in FAMILIES if family in given or family is IPV4]

    async def _sync(
        self,
        families: list[FamilyProxy],
        dirty: set[str],
        nodes_changed: bool,
        netfilter: NetfilterSocket,
    ) -> None:
        begun = time.monotonic()
        if nodes_changed:
            facts = services.node_facts(
                self._config.node_name, self._nodes.get(self._config.node_name)
            )
            if facts != self._facts:
                self._facts = facts
                dirty |= {key_of(service) for service in self._services.values()}
        for proxy in families:
            wanted = await self._wanted(dirty, proxy.family)
            ranges = [c for c in self._config.service_ranges if family_of(c) == proxy.family]
            change = await proxy.sync(
                wanted,
                services.own_ranges(self._facts, proxy.family),
                services.merged_ranges(ranges),
            )
            if change.flows:
                ended = conntrack.end_flows(netfilter, proxy.family, change.flows)
                if ended:
                    log.info("%d UDP flows have to choose an endpoint anew", ended)
            if change:
                log.debug(
                    "%d Services → %d elements of table %s in %.1f ms",
                    len(dirty), change.size, proxy.family.name, (time.monotonic() - begun) * 1e3,
                )  # fmt: skip

    async def _wanted(self, keys: Iterable[str], family: Family) -> dict[str, Wanted]:
        found = {}
        for number, key in enumerate(keys, start=1):
            slices = self._slices.by_index("service", key)
            found[key] = services.wanted(self._services.get(key), slices, self._facts, family)
            if number % _CHUNK == 0:
                await asyncio.sleep(0)
        return found

    def _announce(self, announcer: Announcer, dirty: set[str], nodes_changed: bool) -> None:
        before = self._balanced & dirty
        self._balanced -= dirty
        for key in dirty:
            service = self._services.get(key)
            if service is not None and load_balancer_addresses(service, IPV4):
                self._balanced.add(key)
        if not (nodes_changed or before or self._balanced & dirty):
            return
        held = announce.holders(
            [service for key in self._balanced if (service := self._services.get(key))],
            lambda key: self._slices.by_index("service", key),
            announce.ready_nodes(self._nodes.values()),
        )
        announcer.hold(address for address, node in held.items() if node == self._config.node_name)


@contextmanager
def _no_collection(*, many: bool) -> Iterator[None]:
    """Without garbage collection while many Services are worked out.

    Hundreds of thousands of new values, none of them garbage, make the collector walk all objects
    of the process again and again: with it, 10,000 Services × 10 endpoints take twice as long.
    """
    if not many or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _service_of_slice(endpoint_slice: Object) -> list[str]:
    name = labels_of(endpoint_slice).get(SERVICE_NAME)
    return [f"{namespace_of(endpoint_slice)}/{name}"] if name else []


async def _locked() -> WriterLock:
    """Wait until no other proxy writes here; one that was just replaced needs a moment to end."""
    waited = False
    while True:
        try:
            return WriterLock()
        except AnotherWriterError as error:
            if not waited:
                log.warning("%s; waiting for it", error)
                waited = True
            await asyncio.sleep(_LOCK_RETRY_S)
