"""The API server: one TLS listener in front of the registry."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from pilotfish.apiserver.allocation import ServiceAllocator
from pilotfish.apiserver.allocation.cidrs import ServiceRanges
from pilotfish.apiserver.authentication import TokenUsers, read_token_file
from pilotfish.apiserver.background import keep_running
from pilotfish.apiserver.bootstrap import bootstrap, keep
from pilotfish.apiserver.catalog import Catalog
from pilotfish.apiserver.client_ca_names import name_client_cas
from pilotfish.apiserver.config import ApiServerConfig
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.custom.installing import CustomResources
from pilotfish.apiserver.dispatch import Dispatcher
from pilotfish.apiserver.documents import Documents
from pilotfish.apiserver.expiry import expire_events, expire_histories
from pilotfish.apiserver.limits import MAX_BODY
from pilotfish.apiserver.rbac.aggregation import aggregate
from pilotfish.apiserver.rbac.authorizer import Authorizer
from pilotfish.apiserver.rbac.bootstrapping import bootstrap_policy
from pilotfish.apiserver.registry import Registry
from pilotfish.apiserver.selection import Selection
from pilotfish.apiserver.store.opening import open_store
from pilotfish.apiserver.tokens import Tokens

log = logging.getLogger(__name__)

# Watches hang for an hour; an idle connection is kept as long as Go's clients keep theirs.
_KEEPALIVE_S = 120.0
# Selectors go in the URL and tokens in headers; Go's server takes long ones.
_MAX_LINE = 64 * 1024
# What a ServiceAccount token can be bound to, and the claim that names it.
_BOUND_TO = (
    ("serviceaccounts", "serviceaccount"),
    ("pods", "pod"),
    ("secrets", "secret"),
    ("nodes", "node"),
)


class ApiServer:
    """The Kubernetes API over one store."""

    def __init__(self, config: ApiServerConfig) -> None:
        self._config = config
        self.started = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled; `started` is set once connections are accepted.

        Raises:
            OSError: when an address cannot be listened on, or a file cannot be read.
        """
        registry = Registry(open_store(self._config))
        await registry.start()
        try:
            core = _core(self._config, registry)
            customs = CustomResources(core)
            ranges = ServiceRanges(core)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(registry.run(), name="store")
                await bootstrap(core)
                await bootstrap_policy(core)
                loops: dict[str, Callable[[], Awaitable[None]]] = {
                    "custom resources": customs.run,
                    "service ranges": ranges.run,
                    "Event expiry": partial(expire_events, core),
                    "history expiry": partial(expire_histories, registry),
                    "the system's objects": partial(keep, core),
                    "ClusterRole aggregation": partial(aggregate, core),
                }
                for name, loop in loops.items():
                    tasks.create_task(keep_running(name, loop), name=name)
                tasks.create_task(self._serve(core), name="API listener")
        finally:
            await registry.stop()

    async def _serve(self, core: Core) -> None:
        dispatcher = Dispatcher(core)
        loop = asyncio.get_running_loop()

        def make_request(
            message: RawRequestMessage,
            payload: StreamReader,
            protocol: RequestHandler,
            writer: AbstractStreamWriter,
            task: asyncio.Task[None],
        ) -> web.Request:
            return web.Request(
                message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY
            )

        # The bare server: routes are the catalog's matter, and every layer costs each request.
        server = web.Server(
            dispatcher.handle,
            request_factory=make_request,
            handler_cancellation=True,
            access_log=None,
            keepalive_timeout=_KEEPALIVE_S,
            max_line_size=_MAX_LINE,
            max_field_size=_MAX_LINE,
            # As in Kubernetes: no bombs are unpacked here, and what is proxied stays as it is.
            auto_decompress=False,
        )
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.2)
        await runner.setup()
        context = _tls(self._config)
        try:
            for host, port in self._config.listen:
                site = web.TCPSite(runner, host, port, ssl_context=context, reuse_address=True)
                await site.start()
                log.info("serving the Kubernetes API on https://%s:%d", host, port)
            if self._config.local_socket is not None:
                await web.UnixSite(runner, self._config.local_socket).start()
                self._config.local_socket.chmod(0o600)
            self.started.set()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()
            dispatcher.close()


def _core(config: ApiServerConfig, registry: Registry) -> Core:
    def is_current(bound: Mapping[str, Any]) -> bool:
        """Whether what a token is bound to still exists."""
        namespace = bound.get("namespace", "")
        for resource_name, claim in _BOUND_TO:
            reference = bound.get(claim)
            if reference is None:
                continue
            name = reference["name"]
            key = name if resource_name == "nodes" else f"{namespace}/{name}"
            entry = registry.collection(resource_name).get(key)
            # A Pod's token names the Pod's node as well, without being bound to it.
            uid = reference.get("uid")
            if uid and (entry is None or entry.decode()["metadata"]["uid"] != uid):
                return False
        return "serviceaccount" in bound

    services = ServiceAllocator(config.service_cidr, config.node_ports, config.second_service_cidr)
    services.load(entry.decode() for entry in registry.collection("services").select(Selection()))
    tokens = Tokens(config.service_account_key_file, config.service_account_issuer, is_current)
    static = read_token_file(config.token_file) if config.token_file is not None else {}
    token_users = TokenUsers(tokens, static)
    authorizer = Authorizer(registry)
    documents = Documents()
    return Core(config, Catalog(), registry, tokens, services, token_users, authorizer, documents)


def _tls(config: ApiServerConfig) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(config.cert_file, config.key_file)
    context.load_verify_locations(config.client_ca_file)
    name_client_cas(context, config.client_ca_file)
    # Who shows no certificate may have a token, or asks for its health.
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context
