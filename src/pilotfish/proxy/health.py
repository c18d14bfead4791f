"""healthCheckNodePort: outside load balancers ask each node whether it has endpoints of a Service.

Under externalTrafficPolicy Local a node without a local endpoint stays silent, so a load balancer
must know where to send. Each such Service has a port of its own on every node; the answer is 200
when this node has an endpoint and 503 when it has none, with a body that kube-proxy's users know.

Source: Kubernetes documentation, "Create an External Load Balancer" (preserving the client source
IP), and the Service API reference (spec.healthCheckNodePort).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pilotfish.objects.meta import Object, name_of, namespace_of
from pilotfish.proxy import endpoints
from pilotfish.proxy.family import FAMILIES, Family
from pilotfish.proxy.services import is_proxied

log = logging.getLogger(__name__)

_REQUEST_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Health:
    """What a node answers for one Service."""

    namespace: str
    name: str
    local_endpoints: int


def service_health(
    service: Object | None, slices: Sequence[Object], node: str
) -> tuple[int, Health] | None:
    """The health check port of a Service and its answer on a node; None if it has none."""
    if service is None or not is_proxied(service):
        return None
    spec = service["spec"]
    port = spec.get("healthCheckNodePort")
    if not port or spec.get("externalTrafficPolicy") != "Local":
        return None
    # Endpoints that terminate still serve, but a load balancer should turn away from them.
    local = {
        candidate.endpoint.address
        for family in FAMILIES
        for service_port in spec.get("ports") or ()
        for candidate in endpoints.on_node(_candidates(slices, service_port, family), node)
        if candidate.ready and not candidate.terminating
    }
    return int(port), Health(namespace_of(service), name_of(service), len(local))


def _candidates(
    slices: Sequence[Object], service_port: Object, family: Family
) -> list[endpoints.Candidate]:
    name = service_port.get("name") or ""
    protocol = (service_port.get("protocol") or "TCP").lower()
    return endpoints.candidates(slices, name, protocol, family)


def response(health: Health) -> bytes:
    """The HTTP response to any request."""
    body = json.dumps(
        {
            "service": {"namespace": health.namespace, "name": health.name},
            "localEndpoints": health.local_endpoints,
            "serviceProxyHealthy": True,
        }
    ).encode()
    status = "200 OK" if health.local_endpoints else "503 Service Unavailable"
    head = (
        f"HTTP/1.1 {status}\r\n"
        "Content-Type: application/json\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        f"X-Load-Balancing-Endpoint-Weight: {health.local_endpoints}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body


class HealthServers:
    """The listening ports of one node."""

    def __init__(self) -> None:
        self._healths: dict[int, Health] = {}
        self._servers: dict[int, asyncio.Server] = {}

    async def serve(self, healths: Mapping[int, Health]) -> None:
        """Answer on exactly these ports. A port that cannot be had is logged, and tried again."""
        self._healths = dict(healths)
        for port in self._servers.keys() - healths.keys():
            self._servers.pop(port).close()
        for port in healths.keys() - self._servers.keys():
            try:
                self._servers[port] = await asyncio.start_server(
                    partial(self._answer, port), "", port
                )
            except OSError as error:
                health = healths[port]
                log.error(
                    "Service %s/%s: nothing answers on its healthCheckNodePort %d: %s",
                    health.namespace, health.name, port, error,
                )  # fmt: skip

    def close(self) -> None:
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    async def _answer(
        self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                await reader.readuntil(b"\r\n\r\n")
                health = self._healths.get(port)
                if health is not None:
                    writer.write(response(health))
                    await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            log.debug("health check on port %d broke off: %s", port, error)
        finally:
            writer.close()
