"""LoadBalancer addresses: an EXTERNAL-IP from the cluster's pool for each such Service.

A Service of two address families gets one of each.

The pool's addresses lie on the bridge that the host shares with the nodes, so
no machinery outside the cluster is needed: the proxy on the nodes takes what
arrives there. Who has which address is told by the Services themselves.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from pilotfish.controllers.controller import Context, Controller
from pilotfish.objects.meta import Object, is_deleting, key_of

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NoAddress(Exception):
    """A Service cannot have an address now; the text says why, and what would help."""


def wants_address(service: Object) -> bool:
    """Whether the Service is ours to give an address: other classes have other controllers."""
    spec = service["spec"]
    return spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass")


def addresses_of(service: Object) -> list[str]:
    """The addresses that the Service has."""
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [entry["ip"] for entry in ingress if entry.get("ip")]


def pools_of(service: Object, pools: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pools of the Service's address families, in the Service's order."""
    by_family = {"IPv6" if ":" in pool[0] else "IPv4": pool for pool in pools}
    families = service["spec"].get("ipFamilies") or [*by_family][:1]
    return [by_family[family] for family in families if family in by_family]


def choose_address(service: Object, pool: tuple[str, str], taken: Mapping[str, str]) -> str:
    """The address for a Service from one pool.

    Args:
        service: a Service of type LoadBalancer.
        pool: the first and the last address to give.
        taken: the Service (`namespace/name`) that has each address.

    Raises:
        NoAddress: when the wanted address, or every one, is taken.
    """
    first, last = (ipaddress.ip_address(text) for text in pool)
    wanted = service["spec"].get("loadBalancerIP")
    both = len(service["spec"].get("ipFamilies") or ()) > 1
    if wanted and (not both or (":" in wanted) == (first.version == 6)):
        try:
            inside = int(first) <= int(ipaddress.ip_address(wanted)) <= int(last)
        except ValueError:
            inside = False
        if not inside:
            raise NoAddress(f"loadBalancerIP {wanted} is not in the pool {first}-{last}")
        holder = taken.get(wanted)
        if holder not in (None, key_of(service)):
            raise NoAddress(f"loadBalancerIP {wanted} is taken by Service {holder}")
        return str(wanted)
    for present in addresses_of(service):
        if _in_pool(present, first, last) and taken.get(present) == key_of(service):
            return present
    for address in _addresses(first, last):
        if taken.get(address) in (None, key_of(service)):
            return address
    raise NoAddress(
        f"every address of the pool {first}-{last} is taken; delete a Service of type LoadBalancer"
    )


def _in_pool(text: str, first: Address, last: Address) -> bool:
    address = ipaddress.ip_address(text)
    return address.version == first.version and int(first) <= int(address) <= int(last)


def _addresses(first: Address, last: Address) -> Iterator[str]:
    for number in range(int(first), int(last) + 1):
        yield str(type(first)(number))


class LoadBalancerController(Controller):
    """Gives addresses to Services of type LoadBalancer and takes them back."""

    name = "service-controller"
    # One after the other: two must not choose the same address.
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._services = self.informer("services")
        self._taken: dict[str, str] = {}
        self._waiting: set[str] = set()
        self._services.on_change(self._service_changed)

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None:
            for address in set(addresses_of(old)) - set(addresses_of(new)):
                self._release(address, key_of(old))
        if new is None:
            if old is not None:
                self._waiting.discard(key_of(old))
                held = [ip for ip, holder in self._taken.items() if holder == key_of(old)]
                for address in held:
                    self._release(address, key_of(old))
            return
        if wants_address(new):
            for address in addresses_of(new):
                self._taken.setdefault(address, key_of(new))
        if wants_address(new) or addresses_of(new):
            self.enqueue(new)

    def _release(self, address: str, key: str) -> None:
        if self._taken.get(address) != key:
            return
        del self._taken[address]
        for waiting in self._waiting:
            self.queue.add(waiting)

    async def sync(self, key: str) -> None:
        service = self._services.get(key)
        if service is None or is_deleting(service):
            return
        present = addresses_of(service)
        if not wants_address(service):
            self._waiting.discard(key)
            is_foreign = service["spec"].get("loadBalancerClass")
            if present and not is_foreign:
                await self._write(service, [])
                for address in present:
                    self._release(address, key)
            return
        try:
            addresses = [
                choose_address(service, pool, self._taken)
                for pool in pools_of(service, self.config.load_balancer_pools)
            ]
        except NoAddress as problem:
            if key not in self._waiting:
                self._waiting.add(key)
                message = f"Error syncing load balancer: {problem}"
                self.events.record(service, "Warning", "SyncLoadBalancerFailed", message)
            return
        self._waiting.discard(key)
        if addresses == present:
            return
        self._taken.update(dict.fromkeys(addresses, key))
        await self._write(service, addresses)
        self.events.record(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer")

    async def _write(self, service: Object, addresses: list[str]) -> None:
        entries = [{"ip": address, "ipMode": "VIP"} for address in addresses]
        ingress: Object = {"ingress": entries} if entries else {}
        status = {**(service.get("status") or {}), "loadBalancer": ingress}
        await self.write_status("services", service, status)
