"""Follows the API's Pods, Services and Nodes, so that addresses have names."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable, Iterable

from pilotfish.client.api import Client
from pilotfish.client.informer import ChangeHandler, Informer
from pilotfish.objects.meta import Object
from pilotfish.tap.identity import Identity, node_addresses, service_addresses


class Naming:
    """Keeps an `Identity` up to date.

    Attributes:
        identity: names addresses.
    """

    def __init__(self, client: Client, host_addresses: Iterable[str] = ()) -> None:
        """host_addresses: of the machine, which the cluster knows as "host"."""
        self.identity = Identity(host_addresses)
        self._pods = Informer(client, "pods")
        self._services = Informer(client, "services")
        self._nodes = Informer(client, "nodes")
        for informer, change in (
            (self._pods, self.identity.pod_changed),
            (self._services, self.identity.service_changed),
            (self._nodes, self.identity.node_changed),
        ):
            informer.on_change(_timed(change))

    async def run(self) -> None:
        """Follow the API server until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for informer in (self._pods, self._services, self._nodes):
                tasks.create_task(informer.run(), name=f"tap {informer.resource}")

    async def wait_synced(self) -> None:
        """Return once everything there is has a name."""
        for informer in (self._pods, self._services, self._nodes):
            await informer.synced.wait()

    def on_change(self, handler: Callable[[], None]) -> None:
        """Call `handler` when a Node or a Service came, changed or went, and for each present."""
        for informer in (self._nodes, self._services):
            informer.on_change(lambda _old, _new: handler())

    def service_addresses(self) -> frozenset[bytes]:
        """The addresses of all Services, packed."""
        return frozenset(
            ipaddress.ip_address(address).packed
            for service in self._services.values()
            for address in service_addresses(service)
        )

    def node_ports(self) -> frozenset[int]:
        """The ports at which nodes answer for Services."""
        return frozenset(
            port["nodePort"]
            for service in self._services.values()
            for port in (service.get("spec") or {}).get("ports") or ()
            if port.get("nodePort")
        )

    def internal_addresses(self, node: str) -> list[bytes]:
        """The addresses at which the control plane reaches a node."""
        found = self._nodes.get(node)
        if found is None:
            return []
        return [
            ipaddress.ip_address(entry["address"]).packed
            for entry in (found.get("status") or {}).get("addresses") or ()
            if entry.get("type") == "InternalIP"
        ]

    def node_addresses(self) -> frozenset[bytes]:
        """The addresses of all nodes, packed."""
        return frozenset(
            ipaddress.ip_address(address).packed
            for node in self._nodes.values()
            for address in node_addresses(node)
        )

    def pod_networks(self) -> list[tuple[bytes, int]]:
        """The ranges of Pod addresses: (packed network address, length of the prefix)."""
        found = []
        for node in self._nodes.values():
            for text in _pod_ranges(node):
                network = ipaddress.ip_network(text, strict=False)
                found.append((network.network_address.packed, network.prefixlen))
        return found


def _timed(change: Callable[[Object | None, Object | None, float], None]) -> ChangeHandler:
    return lambda old, new: change(old, new, time.time())


def _pod_ranges(node: Object) -> list[str]:
    spec = node.get("spec") or {}
    return [text for text in spec.get("podCIDRs") or [spec.get("podCIDR", "")] if text]
