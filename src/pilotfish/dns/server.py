"""The cluster DNS of one node: follows Services, answers queries, keeps its endpoint registered.

It answers from its informers' caches, so that it goes on answering while the API server is away.
Until they have synced, the cluster's names get SERVFAIL: NXDOMAIN would be believed.
"""

from __future__ import annotations

import asyncio
import logging

from pilotfish.client.api import Client
from pilotfish.client.informer import Informer
from pilotfish.dns.compiler import Compiler
from pilotfish.dns.config import DnsConfig
from pilotfish.dns.forwarder import Forwarder
from pilotfish.dns.records import is_headless
from pilotfish.dns.registration import NAMESPACE, SERVICE, SLICES, Registration
from pilotfish.dns.resolv_conf import ResolvConf
from pilotfish.dns.tcp import TcpServer
from pilotfish.dns.udp import UdpServer
from pilotfish.objects.meta import Object, key_of, labels_of, name_of, namespace_of

_SERVICE_LABEL = "kubernetes.io/service-name"
# A change of many Services at once is compiled in parts: others in the process get their turn.
_BATCH = 100

logger = logging.getLogger(__name__)


class DnsServer:
    """A component: `run` until cancelled."""

    def __init__(self, client: Client, config: DnsConfig) -> None:
        self._config = config
        self._compiler = Compiler(config.domain, config.cluster_ip, config.ranges)
        self._services = Informer(client, "services")
        self._slices = Informer(client, SLICES)
        self._namespaces = Informer(client, "namespaces")
        self._registration = Registration(client, config)
        self._dirty: dict[str, None] = {}  # keys of Services to compile, in order
        self._scheduled = False
        resolvers = ResolvConf(config.resolv_conf, own={config.address, config.cluster_ip})
        self._forwarder = Forwarder(resolvers, config.upstream_namespace)
        answerer = self._compiler.answerer
        self._udp = UdpServer(answerer, self._forwarder)
        self._tcp = TcpServer(answerer, self._forwarder)

    async def run(self) -> None:
        """Serve until cancelled. Raises OSError when the address cannot be listened on."""
        self._slices.index("service", _service_keys)
        self._services.on_change(self._service_changed)
        self._slices.on_change(self._slice_changed)
        self._namespaces.on_change(self._namespace_changed)
        try:
            self._udp.start(self._config.address, self._config.port)
            await self._tcp.start(self._config.address, self._config.port)
            async with asyncio.TaskGroup() as tasks:
                for informer in (self._services, self._slices, self._namespaces):
                    tasks.create_task(informer.run(), name=f"dns informer {informer.resource}")
                tasks.create_task(self._start_answering(), name="dns start")
        finally:
            self._udp.close()
            await self._tcp.close()
            await self._forwarder.close()

    async def _start_answering(self) -> None:
        for informer in (self._services, self._slices, self._namespaces):
            await informer.synced.wait()
        while self._dirty:
            self._compile()
            await asyncio.sleep(0)
        self._compiler.answerer.synced = True
        logger.info(
            "answering for %d Services on %s port %d",
            len(self._services.values()),
            self._config.address,
            self._config.port,
        )
        # Only now: whoever is sent here by the Service gets true answers.
        await self._registration.run()

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        obj = new or old
        if obj is None:
            return
        if namespace_of(obj) == NAMESPACE and name_of(obj) == SERVICE:
            self._registration.check()
        self._touch(key_of(obj))

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        for obj in (old, new):
            if obj is None:
                continue
            for key in _service_keys(obj):
                if key == f"{NAMESPACE}/{SERVICE}":
                    self._registration.check()
                service = self._services.get(key)
                # What leads to a ClusterIP does not depend on endpoints.
                if service is not None and is_headless(service):
                    self._touch(key)

    def _namespace_changed(self, old: Object | None, new: Object | None) -> None:
        obj = new or old
        if obj is not None:
            self._compiler.set_namespace(name_of(obj), present=new is not None)

    def _touch(self, key: str) -> None:
        self._dirty[key] = None
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._compile)

    def _compile(self) -> None:
        self._scheduled = False
        for key in list(self._dirty)[:_BATCH]:
            del self._dirty[key]
            service = self._services.get(key)
            if service is None:
                self._compiler.forget_service(key)
            else:
                self._compiler.set_service(service, self._slices.by_index("service", key))
        if self._dirty:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._compile)


def _service_keys(obj: Object) -> list[str]:
    name = labels_of(obj).get(_SERVICE_LABEL)
    return [f"{namespace_of(obj)}/{name}"] if name else []
