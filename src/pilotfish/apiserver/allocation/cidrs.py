"""ServiceCIDRs at work: where addresses come from, and when a range may go.

https://kubernetes.io/docs/tasks/network/extend-service-ip-ranges/
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from pilotfish.apiserver.allocation.addresses import (
    IP_ADDRESSES,
    address_object,
    addresses_of,
    is_own,
)
from pilotfish.apiserver.collection import Change, Watcher
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import StatusError
from pilotfish.apiserver.selection import Selection
from pilotfish.apiserver.strategy.servicecidrs import FINALIZER
from pilotfish.objects.conditions import set_condition
from pilotfish.objects.meta import Object, is_deleting, name_of

log = logging.getLogger(__name__)

SERVICE_CIDRS: Final = "servicecidrs.networking.k8s.io"
# kube-apiserver repairs as often.
_REPAIR_S: Final = 180.0
_AT_ONCE: Final = 200
_RETRY_S: Final = 1.0

Network = IPv4Network | IPv6Network


class _Teller(Watcher):
    """Hands the changes of a collection to a function."""

    def __init__(self, tell: Callable[[Change], None]) -> None:
        self._tell = tell

    def offer(self, change: Change) -> None:
        self._tell(change)


class ServiceRanges:
    """Keeps the allocator and IPAddresses in step with ServiceCIDRs and Services."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._wake = asyncio.Event()
        self._lost: list[Object] = []
        registry = core.registry
        registry.collection(SERVICE_CIDRS).watchers.add(_Teller(lambda _: self._ranges_changed()))
        registry.collection(IP_ADDRESSES).watchers.add(_Teller(self._address_changed))
        for entry in registry.collection(IP_ADDRESSES).select(Selection()):
            core.services.reserve(entry.key)
        if registry.is_shared:
            registry.collection("services").watchers.add(_Teller(self._service_changed))
        self._use()

    def _ranges_changed(self) -> None:
        self._use()
        self._wake.set()

    def _service_changed(self, change: Change) -> None:
        """Know what other servers hand out; that it is not handed out twice, claims see to."""
        before = change.previous.decode() if change.previous is not None else None
        self._core.services.follow(before, None if change.removed else change.entry.decode())

    def _address_changed(self, change: Change) -> None:
        if not change.removed:
            self._core.services.reserve(change.entry.key)
            return
        address = change.entry.decode()
        if is_own(address):
            self._lost.append(address)
        else:
            self._core.services.unreserve(change.entry.key)
        self._wake.set()

    def _use(self) -> None:
        """Let the allocator hand out from what is not being deleted."""
        cidrs = self._cidrs()
        if cidrs:
            ready = [network for cidr in cidrs if not is_deleting(cidr) for network in _of(cidr)]
            self._core.services.use(ready)

    def _cidrs(self) -> list[Object]:
        collection = self._core.registry.collection(SERVICE_CIDRS)
        return [entry.decode() for entry in collection.select(Selection())]

    async def run(self) -> None:
        """Let ranges go that nobody uses, and correct what is out of step; until cancelled."""
        repair_at = 0.0
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            try:
                if loop.time() >= repair_at:
                    await self._core.registry.attempt(self._repair)
                    repair_at = loop.time() + _REPAIR_S
                await self._bring_back()
                for cidr in self._cidrs():
                    if is_deleting(cidr) and FINALIZER in cidr["metadata"].get("finalizers", ()):
                        await self._core.registry.attempt(partial(self._let_go, cidr))
            except StatusError as error:
                log.warning("service ranges and addresses could not be kept in step: %s", error)
                await asyncio.sleep(_RETRY_S)
            try:
                await asyncio.wait_for(self._wake.wait(), max(0.0, repair_at - loop.time()))
            except TimeoutError:
                continue

    async def _bring_back(self) -> None:
        """Write IPAddresses again that somebody deleted under a Service."""
        lost, self._lost = self._lost, []
        for address in lost:
            parent = address["spec"]["parentRef"]
            service = f"{parent.get('namespace', '')}/{parent['name']}"
            ensure = partial(self._ensure, service, name_of(address))
            await self._core.registry.attempt(ensure)

    async def _repair(self) -> None:
        """Compare all Services with all IPAddresses: after a start, and now and then."""
        registry = self._core.registry
        held: set[str] = set()
        for number, entry in enumerate(registry.collection("services").select(Selection())):
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
            for text in addresses_of(entry.decode()):
                held.add(text)
                if registry.latest(IP_ADDRESSES, text) is None:
                    await self._ensure(entry.key, text)
        for entry in registry.collection(IP_ADDRESSES).select(Selection()):
            if entry.key in held:
                continue
            address = entry.decode()
            parent = address["spec"]["parentRef"]
            service = registry.latest("services", f"{parent.get('namespace')}/{parent['name']}")
            holds = service is not None and entry.key in addresses_of(service.decode())
            if is_own(address) and not holds and registry.latest(IP_ADDRESSES, entry.key):
                log.info("removing IPAddress %s: no Service has it", entry.key)
                await registry.remove(IP_ADDRESSES, address)
                self._core.services.unreserve(entry.key)

    async def _ensure(self, service_key: str, text: str) -> None:
        registry = self._core.registry
        service = registry.latest("services", service_key)
        if service is None or registry.latest(IP_ADDRESSES, text) is not None:
            return
        obj = service.decode()
        if text in addresses_of(obj):
            await registry.put(IP_ADDRESSES, address_object(text, obj))

    async def _let_go(self, cidr: Object) -> None:
        """Take the finalizer off a deleted range that no address needs."""
        core = self._core
        own = _of(cidr)
        others = [
            network
            for other in self._cidrs()
            if name_of(other) != name_of(cidr) and not is_deleting(other)
            for network in _of(other)
        ]
        entries = core.registry.collection(IP_ADDRESSES).select(Selection())
        found = (ip_address(entry.key) for entry in entries)
        in_use = any(
            any(address in network for network in own)
            and not any(address in network for network in others)
            for address in found
        )
        before = core.registry.latest(SERVICE_CIDRS, name_of(cidr))
        if before is None:
            return
        latest = before.decode()
        if in_use:
            conditions = latest.setdefault("status", {}).setdefault("conditions", [])
            why = (
                "There are still IPAddresses referencing the ServiceCIDR, please remove them or "
                "create a new ServiceCIDR"
            )
            if set_condition(conditions, "Ready", "False", "Terminating", why):
                await core.registry.put(SERVICE_CIDRS, latest)
            return
        left = [name for name in latest["metadata"].get("finalizers", ()) if name != FINALIZER]
        latest["metadata"]["finalizers"] = left
        if left:
            await core.registry.put(SERVICE_CIDRS, latest)
        else:
            await core.registry.remove(SERVICE_CIDRS, latest)


def _of(cidr: Object) -> list[Network]:
    return [ip_network(text) for text in cidr["spec"]["cidrs"]]
