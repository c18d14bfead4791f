"""Routes to the other nodes' Pods: every podCIDR over its node's InternalIP.

Runs in the node's network namespace and watches Nodes; what is not wanted any more goes. This is a
network plugin's work, and done with another identity than the kubelet's, which sees no Node but
its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from pilotfish.client.api import Client
from pilotfish.client.informer import Informer
from pilotfish.network import message, routes
from pilotfish.network.netlink import Netlink
from pilotfish.objects.meta import Object, name_of

log = logging.getLogger(__name__)


def internal_ips(node: Object) -> dict[int, str]:
    """A node's InternalIP of each address family."""
    found: dict[int, str] = {}
    for address in (node.get("status") or {}).get("addresses") or []:
        if address.get("type") == "InternalIP":
            found.setdefault(message.family_of(address["address"]), str(address["address"]))
    return found


def wanted_routes(nodes: Iterable[Object], own_name: str) -> dict[str, str]:
    """podCIDR → gateway, for every other node that has both."""
    wanted = {}
    for node in nodes:
        if name_of(node) == own_name:
            continue
        spec, addresses = node.get("spec", {}), internal_ips(node)
        for pod_cidr in spec.get("podCIDRs") or [spec.get("podCIDR")]:
            address = addresses.get(message.family_of(pod_cidr)) if pod_cidr else None
            if address:
                wanted[pod_cidr] = address
    return wanted


class NodeRoutes:
    def __init__(self, client: Client, own_name: str) -> None:
        self._nodes = Informer(client, "nodes")
        self._own_name = own_name
        self._set: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._nodes.on_change(lambda _old, _new: self._changed.set())

    async def run(self) -> None:
        """Keep the routes right until cancelled."""
        async with self._nodes.running():
            while True:
                self._changed.clear()
                try:
                    self._apply(wanted_routes(self._nodes.values(), self._own_name))
                except OSError as error:
                    log.warning("routes to the other nodes: %s", error)
                await self._changed.wait()

    def _apply(self, wanted: dict[str, str]) -> None:
        if wanted == self._set:
            return
        with Netlink() as nl:
            for pod_cidr, gateway in wanted.items():
                if self._set.get(pod_cidr) != gateway:
                    routes.replace(nl, pod_cidr, via=gateway)
                    log.info("Pods of %s are reached over %s", pod_cidr, gateway)
            for pod_cidr in self._set.keys() - wanted.keys():
                routes.delete(nl, pod_cidr)
                log.info("no node has %s any more: route removed", pod_cidr)
        self._set = wanted
