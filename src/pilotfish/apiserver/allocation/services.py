"""ClusterIPs, NodePorts and health check ports of Services.

The API server calls `allocate` after validation and before the write, in one step of the event
loop. The allocator changes the new Service in place and keeps the books; when the write fails
afterwards, `undo` sets the books back. After a restart `load` rebuilds them from what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from pilotfish.apiserver.allocation.families import settle_families
from pilotfish.apiserver.allocation.pool import Pool, PoolExhaustedError
from pilotfish.apiserver.allocation.ranges import Ranges
from pilotfish.apiserver.validation.causes import Cause, internal, invalid
from pilotfish.objects.meta import Object

HEADLESS = "None"
_VERSIONS = {"IPv4": IPv4Address, "IPv6": IPv6Address}


class ServiceAllocator:
    """Hands out the cluster's Service addresses and node ports."""

    def __init__(
        self, service_cidr: str, node_port_range: tuple[int, int], second_service_cidr: str = ""
    ) -> None:
        """`service_cidr` such as "10.96.0.0/12"; the first and the last node port.

        `second_service_cidr` is of the other family, "" unless the cluster is dual-stack.
        """
        networks = [ip_network(cidr) for cidr in (service_cidr, second_service_cidr) if cidr]
        self._addresses = {f"IPv{network.version}": Ranges([network]) for network in networks}
        low, high = node_port_range
        # The band of kube-apiserver: min(max(16, size/32), 128).
        self._ports = Pool(low, high, min(max(16, (high - low + 1) // 32), 128))

    def use(self, networks: Iterable[IPv4Network | IPv6Network]) -> None:
        """Hand out addresses of these ranges from now on; only of the cluster's families."""
        found = list(networks)
        for family, ranges in self._addresses.items():
            ranges.use([network for network in found if f"IPv{network.version}" == family])

    def reserve(self, text: str) -> None:
        """Let nobody have an address, which an IPAddress names."""
        self._addresses_take([_address(text)])

    def unreserve(self, text: str) -> None:
        """The end of `reserve`."""
        family, number = _address(text)
        if family in self._addresses:
            self._addresses[family].give_back(number)

    def load(self, services: Iterable[Object]) -> None:
        """Take over what stored Services hold."""
        for service in services:
            self._addresses_take(_addresses_of(service))
            for port in node_ports_of(service):
                self._ports.take(port)

    def follow(self, before: Object | None, after: Object | None) -> None:
        """Take note of what another server has written, or this one, in the order of revisions."""
        addresses, addresses_before = _addresses_of(after or {}), _addresses_of(before or {})
        for family, number in addresses_before - addresses:
            if family in self._addresses:
                self._addresses[family].books.let_go(number)
        for family, number in addresses:
            if family in self._addresses:
                self._addresses[family].books.hold(number)
        ports = node_ports_of(after or {})
        for port in node_ports_of(before or {}) - ports:
            self._ports.books.let_go(port)
        for port in ports:
            self._ports.books.hold(port)

    def release(self, service: Object) -> None:
        """Give back everything that a deleted Service held."""
        for family, number in _addresses_of(service):
            if family in self._addresses:
                self._addresses[family].give_back(number)
        for port in node_ports_of(service):
            self._ports.give_back(port)

    def allocate(self, new: Object, old: Object | None) -> list[Cause]:
        """Fill in and book what `new` needs, and give back what only `old` held.

        Returns why it cannot be done; then nothing is booked.
        """
        taken = _Taken(self._addresses, self._ports)
        causes = self._allocate_addresses(new, old, taken)
        if not causes:
            causes = self._allocate_ports(new, old, taken)
        if not causes:
            causes = self._allocate_health_check_port(new, old, taken)
        if causes:
            taken.give_back()
            return causes
        if old is not None:
            self._give_back_surplus(old, new)
        return []

    def undo(self, new: Object, old: Object | None) -> None:
        """Take back a successful `allocate(new, old)` whose write failed."""
        if old is None:
            self.release(new)
            return
        self._give_back_surplus(new, old)
        self.load([old])

    def _addresses_take(self, addresses: Iterable[tuple[str, int]]) -> None:
        for family, number in addresses:
            pool = self._addresses.get(family)
            if pool is not None:
                pool.take(number)

    def _give_back_surplus(self, holder: Object, keeper: Object) -> None:
        for family, number in _addresses_of(holder) - _addresses_of(keeper):
            if family in self._addresses:
                self._addresses[family].give_back(number)
        for port in node_ports_of(holder) - node_ports_of(keeper):
            self._ports.give_back(port)

    def _allocate_addresses(self, new: Object, old: Object | None, taken: _Taken) -> list[Cause]:
        """One ClusterIP of each of the Service's families, in their order."""
        spec = new["spec"]
        if spec.get("type") == "ExternalName":
            return []
        if spec.get("clusterIP"):
            spec.setdefault("clusterIPs", [spec["clusterIP"]])
        causes = settle_families(spec, old["spec"] if old is not None else None, [*self._addresses])
        if causes:
            return causes
        if spec.get("clusterIP") == HEADLESS:
            return []
        addresses: list[str] = list(spec.get("clusterIPs") or ())
        for index, family in enumerate(spec["ipFamilies"]):
            if index >= len(addresses):
                try:
                    addresses.append(str(_VERSIONS[family](taken.any_address(family))))
                except PoolExhaustedError:
                    return [
                        internal("spec.clusterIPs", "failed to allocate a serviceIP: range is full")
                    ]
                continue
            causes += self._book_address(family, addresses[index], addresses, old, taken)
        if not causes:
            spec["clusterIP"], spec["clusterIPs"] = addresses[0], addresses
        return causes

    def _book_address(
        self, family: str, wanted: str, shown: list[str], old: Object | None, taken: _Taken
    ) -> list[Cause]:
        number = int(ip_address(wanted))
        if old is not None and (family, number) in _addresses_of(old):
            return []
        if number not in self._addresses[family]:
            return [
                invalid(
                    "spec.clusterIPs",
                    shown,
                    f"failed to allocate IP {wanted}: the provided IP ({wanted}) is not in the "
                    f"valid range. The range of valid IPs is {self._addresses[family]}",
                )
            ]
        if not taken.address(family, number):
            why = f"failed to allocate IP {wanted}: provided IP is already allocated"
            return [invalid("spec.clusterIPs", shown, why)]
        return []

    def _allocate_ports(self, new: Object, old: Object | None, taken: _Taken) -> list[Cause]:
        spec = new["spec"]
        if spec.get("type") not in ("NodePort", "LoadBalancer"):
            return []
        automatic = (
            spec["type"] == "NodePort" or spec.get("allocateLoadBalancerNodePorts") is not False
        )
        own = node_ports_of(old) if old is not None else set()
        ports: list[dict[str, Any]] = spec.get("ports") or []
        chosen: dict[int, int] = {}  # service port → node port: TCP and UDP of one port share it
        for port in ports:
            if port.get("nodePort"):
                chosen.setdefault(port["port"], port["nodePort"])
        booked: set[int] = set()
        for index, port in enumerate(ports):
            number = port.get("nodePort")
            if not number:
                if not automatic:
                    continue
                number = chosen.get(port["port"])
                if number is None:
                    try:
                        number = taken.any_port()
                    except PoolExhaustedError:
                        why = "failed to allocate a nodePort: range is full"
                        return [internal(f"spec.ports[{index}].nodePort", why)]
                    chosen[port["port"]] = number
                    booked.add(number)
                port["nodePort"] = number
            if number in own or number in booked:
                continue
            why_not = self._book_port(number, taken)
            if why_not:
                return [invalid(f"spec.ports[{index}].nodePort", number, why_not)]
            booked.add(number)
        return []

    def _allocate_health_check_port(
        self, new: Object, old: Object | None, taken: _Taken
    ) -> list[Cause]:
        spec = new["spec"]
        if spec.get("type") != "LoadBalancer" or spec.get("externalTrafficPolicy") != "Local":
            return []
        number = spec.get("healthCheckNodePort")
        if not number:
            try:
                spec["healthCheckNodePort"] = taken.any_port()
            except PoolExhaustedError:
                why = "failed to allocate a HealthCheck NodePort: range is full"
                return [internal("spec.healthCheckNodePort", why)]
            return []
        if old is not None and number in node_ports_of(old):
            return []
        why_not = self._book_port(number, taken)
        return [invalid("spec.healthCheckNodePort", number, why_not)] if why_not else []

    def _book_port(self, number: int, taken: _Taken) -> str:
        """Book one port chosen by hand; returns why not, "" when booked."""
        if number not in self._ports:
            return (
                "provided port is not in the valid range. "
                f"The range of valid ports is {self._ports.first}-{self._ports.last}"
            )
        return "" if taken.port(number) else "provided port is already allocated"


class _Taken:
    """What one `allocate` has taken so far, to be given back when it fails halfway."""

    def __init__(self, addresses: dict[str, Ranges], ports: Pool) -> None:
        self._address_pools = addresses
        self._port_pool = ports
        self._addresses: list[tuple[str, int]] = []
        self._ports: list[int] = []

    def address(self, family: str, number: int) -> bool:
        ok = self._address_pools[family].take(number)
        if ok:
            self._addresses.append((family, number))
        return ok

    def any_address(self, family: str) -> int:
        number = self._address_pools[family].take_any()
        self._addresses.append((family, number))
        return number

    def port(self, number: int) -> bool:
        ok = self._port_pool.take(number)
        if ok:
            self._ports.append(number)
        return ok

    def any_port(self) -> int:
        number = self._port_pool.take_any()
        self._ports.append(number)
        return number

    def give_back(self) -> None:
        for family, number in self._addresses:
            self._address_pools[family].give_back(number)
        for number in self._ports:
            self._port_pool.give_back(number)


def _addresses_of(service: Object) -> set[tuple[str, int]]:
    """(family, number) of each ClusterIP."""
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return set()
    texts = {spec.get("clusterIP") or "", *(spec.get("clusterIPs") or ())}
    return {_address(text) for text in texts if text and text != HEADLESS}


def _address(text: str) -> tuple[str, int]:
    address = ip_address(text)
    return f"IPv{address.version}", int(address)


def node_ports_of(service: Object) -> set[int]:
    """The NodePorts that a Service holds, its health check port among them."""
    spec = service.get("spec") or {}
    ports = {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
    if spec.get("healthCheckNodePort"):
        ports.add(spec["healthCheckNodePort"])
    return ports
