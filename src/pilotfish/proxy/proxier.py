"""The proxy of one node: follows the API's objects and writes the kernel's tables.

A change marks its Service (or Pod with hostPorts) as dirty and wakes the one loop that writes. The
loop takes all that is dirty, asks `services.wanted` for each, and applies the difference as one
transaction. So a lone change goes to the kernel at once, and under load changes gather while the
one before is written.

At start all tables are replaced in one transaction, whatever was there (see `kernel`), and only
once every informer is synced: a proxy that knows half of the objects writes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError, Unreachable
from pilotfish.client.informer import Informer
from pilotfish.objects.meta import Object, key_of, labels_of, namespace_of
from pilotfish.proxy import announce, conntrack, host_ports, services
from pilotfish.proxy.announce import Announcer
from pilotfish.proxy.family import FAMILIES, IPV4, Family, family_of
from pilotfish.proxy.fronts import Front, Target, Wanted
from pilotfish.proxy.health import Health, HealthServers, service_health
from pilotfish.proxy.kernel import AnotherWriterError, KernelTables, WriterLock
from pilotfish.proxy.metrics import Metrics
from pilotfish.proxy.nfnetlink import NetfilterSocket
from pilotfish.proxy.services import NodeFacts, load_balancer_addresses
from pilotfish.proxy.syncer import FamilySyncer, no_collection

log = logging.getLogger(__name__)

SERVICE_NAME = "kubernetes.io/service-name"
_SERVICE_CIDRS = "servicecidrs.networking.k8s.io"
_CHUNK = 200  # Services worked out before the event loop gets a turn
_RETRY_S = 1.0
_CHECK_S = 1.0  # between looks at whether the tables are still there; each takes some 50 µs
_LOCK_RETRY_S = 0.1
_IPV6 = Path("/proc/sys/net/ipv6")  # there when the kernel has it


@dataclass(frozen=True)
class ProxyConfig:
    """What a node's proxy is told.

    `service_ranges`: CIDRs whose addresses are Services' only; refused where no Service answers.
    Those of ServiceCIDR objects come in addition. They say which families there are, beside IPv4;
    without any there are all that the kernel has.
    `link`: leads to the network on which LoadBalancer addresses are; "": none are answered for.
    `host_ports`: whether Pods' hostPorts are this proxy's; on other clusters the CNI has them.
    """

    node_name: str
    service_ranges: tuple[str, ...] = ()
    link: str = "eth0"
    host_ports: bool = True


class Proxier:
    """kube-proxy for the node named in `config`, in the network namespace of the caller.

    Attributes:
        metrics: how it keeps the kernel up to date.
    """

    def __init__(self, client: Client, config: ProxyConfig) -> None:
        self.metrics = Metrics()
        self._syncers: list[FamilySyncer] = []
        self._config = config
        self._services = Informer(client, "services")
        self._slices = Informer(client, "endpointslices.discovery.k8s.io")
        self._nodes = Informer(client, "nodes")
        self._pods = Informer(client, "pods", "", "", f"spec.nodeName={config.node_name}")
        self._service_cidrs = Informer(client, _SERVICE_CIDRS)
        self._client = client
        self._slices.index("service", _service_of_slice)
        self._facts = NodeFacts(config.node_name)
        # What to work out anew: "Service namespace/name", "Pod namespace/name".
        self._dirty: set[str] = set()
        self._nodes_changed = True
        self._balanced: set[str] = set()  # keys of Services with LoadBalancer addresses
        self._healths: dict[str, tuple[int, Health]] = {}
        self._wake = asyncio.Event()

    def written(self) -> dict[Front, tuple[str, Target]]:
        """What it has the kernel do at every front, with who wants it: "Service default/web"."""
        found: dict[Front, tuple[str, Target]] = {}
        for syncer in self._syncers:
            found |= syncer.written()
        return found

    async def run(self) -> None:
        """Keep the tables right until cancelled; they stay when it ends."""
        lock = await _locked()
        netfilter = NetfilterSocket()
        announcer = Announcer(self._config.link) if self._config.link else None
        health_servers = HealthServers()
        informers = [self._services, self._slices, self._nodes]
        if self._config.host_ports:
            informers.append(self._pods)
        try:
            async with asyncio.TaskGroup() as tasks:
                for informer in informers:
                    tasks.create_task(informer.run())
                tasks.create_task(self._follow_service_cidrs())
                for informer in informers:
                    await informer.synced.wait()
                self._services.on_change(self._service_changed)
                self._slices.on_change(self._slice_changed)
                self._nodes.on_change(self._node_changed)
                self._pods.on_change(self._pod_changed)
                self._service_cidrs.on_change(lambda _old, _new: self._wake.set())
                await self._write(netfilter, announcer, health_servers)
        finally:
            health_servers.close()
            if announcer:
                announcer.close()
            netfilter.close()
            lock.release()

    async def _follow_service_cidrs(self) -> None:
        """They say more ranges that are Services' only. API servers before 1.33 have none."""
        while True:
            try:
                await self._client.list(_SERVICE_CIDRS)
                break
            except ApiError as error:
                if error.code in (403, 404):
                    log.info("ServiceCIDRs are not followed: %s", error)
                    return
                await asyncio.sleep(_RETRY_S)
            except Unreachable:
                await asyncio.sleep(_RETRY_S)  # the other informers say so
        await self._service_cidrs.run()

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        self.metrics.service_changes += 1
        self._mark("Service", key_of(new or old or {}))

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        self.metrics.endpoint_changes += 1
        for endpoint_slice in (old, new):
            if endpoint_slice is not None:
                for key in _service_of_slice(endpoint_slice):
                    self._mark("Service", key)

    def _node_changed(self, _old: Object | None, _new: Object | None) -> None:
        self._nodes_changed = True
        self._wake.set()

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if any(pod is not None and host_ports.has_any(pod) for pod in (old, new)):
            self._mark("Pod", key_of(new or old or {}))

    def _mark(self, kind: str, key: str) -> None:
        self._dirty.add(f"{kind} {key}")
        self._wake.set()

    async def _write(
        self,
        netfilter: NetfilterSocket,
        announcer: Announcer | None,
        health_servers: HealthServers,
    ) -> None:
        syncers = self._syncers = [
            FamilySyncer(family, KernelTables(netfilter, family)) for family in self._families()
        ]
        self._wake.set()  # without Services, too, there are tables to write
        dirty: set[str] = set()
        nodes_changed = False
        while True:
            try:
                await self._woken_or_damaged(syncers)
                self._wake.clear()
                dirty, self._dirty = self._dirty, set()
                nodes_changed, self._nodes_changed = self._nodes_changed, False
                if nodes_changed:
                    dirty |= self._look_at_node()
                with no_collection(many=len(dirty) > _CHUNK):
                    for syncer in syncers:
                        await self._sync(syncer, dirty, netfilter)
                if announcer:
                    self._announce(announcer, dirty, nodes_changed)
                await self._answer_health_checks(health_servers, dirty)
            except OSError as error:
                self.metrics.failures += 1
                log.error("the kernel could not be brought up to date (%s); trying again", error)
                self._dirty |= dirty
                self._nodes_changed |= nodes_changed
                await asyncio.sleep(_RETRY_S)
                self._wake.set()

    def _families(self) -> list[Family]:
        given = {family_of(cidr) for cidr in self._config.service_ranges}
        if not given and _IPV6.exists():
            return list(FAMILIES)
        return [family for family in FAMILIES if family in given or family is IPV4]

    async def _woken_or_damaged(self, syncers: Iterable[FamilySyncer]) -> None:
        """Return when something changed here, or when somebody else has damaged the tables.

        A firewall that is restarted flushes all tables of the machine, Services' too.
        """
        while True:
            try:
                async with asyncio.timeout(_CHECK_S):
                    await self._wake.wait()
                    return
            except TimeoutError:
                damaged = [syncer for syncer in syncers if not syncer.check()]
                if damaged:
                    return

    def _look_at_node(self) -> set[str]:
        """What is dirty because something that matters of this node has changed."""
        name = self._config.node_name
        facts = services.node_facts(name, self._nodes.get(name))
        if facts == self._facts:
            return set()
        self._facts = facts
        dirty = {f"Service {key_of(service)}" for service in self._services.values()}
        return dirty | {
            f"Pod {key_of(pod)}" for pod in self._pods.values() if host_ports.has_any(pod)
        }

    async def _sync(
        self, syncer: FamilySyncer, dirty: set[str], netfilter: NetfilterSocket
    ) -> None:
        begun = time.monotonic()
        family = syncer.family
        ranges = {*self._config.service_ranges}
        for service_cidr in self._service_cidrs.values():
            ranges.update((service_cidr.get("spec") or {}).get("cidrs") or ())
        change = await syncer.sync(
            await self._wanted(dirty, family),
            services.own_ranges(self._facts, family),
            services.merged_ranges(cidr for cidr in ranges if family_of(cidr) == family),
        )
        if change.flows:
            ended = conntrack.end_flows(netfilter, family, change.flows)
            if ended:
                log.info("%d UDP flows have to choose an endpoint anew", ended)
        duration_s = time.monotonic() - begun
        self.metrics.synced(duration_s)
        if change:
            log.debug(
                "%d objects → %d elements of table %s in %.1f ms",
                len(dirty), change.size, family.name, duration_s * 1e3,
            )  # fmt: skip

    async def _wanted(self, dirty: Iterable[str], family: Family) -> dict[str, Wanted]:
        found = {}
        for number, name in enumerate(dirty, start=1):
            kind, _, key = name.partition(" ")
            if kind == "Pod":
                found[name] = host_ports.wanted(self._pods.get(key), self._facts, family)
            else:
                slices = self._slices.by_index("service", key)
                service = self._services.get(key)
                found[name] = services.wanted(service, slices, self._facts, family)
            if number % _CHUNK == 0:
                await asyncio.sleep(0)
        return found

    def _announce(self, announcer: Announcer, dirty: set[str], nodes_changed: bool) -> None:
        changed = {key for kind, _, key in (d.partition(" ") for d in dirty) if kind == "Service"}
        before = self._balanced & changed
        self._balanced -= changed
        for key in changed:
            service = self._services.get(key)
            if service is not None and any(
                load_balancer_addresses(service, family) for family in FAMILIES
            ):
                self._balanced.add(key)
        if not (nodes_changed or before or self._balanced & changed):
            return
        held = announce.holders(
            [service for key in self._balanced if (service := self._services.get(key))],
            lambda key: self._slices.by_index("service", key),
            announce.ready_nodes(self._nodes.values()),
        )
        announcer.hold(address for address, node in held.items() if node == self._config.node_name)

    async def _answer_health_checks(self, servers: HealthServers, dirty: set[str]) -> None:
        before = dict(self._healths)
        for name in dirty:
            kind, _, key = name.partition(" ")
            if kind != "Service":
                continue
            slices = self._slices.by_index("service", key)
            health = service_health(self._services.get(key), slices, self._config.node_name)
            if health is None:
                self._healths.pop(key, None)
            else:
                self._healths[key] = health
        if self._healths != before:
            await servers.serve(dict(self._healths.values()))


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
