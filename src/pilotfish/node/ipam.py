"""Which Pod has which address of the node's podCIDR, remembered on disk.

In a dual-stack cluster a Pod has one address of each family, from a pool of each.

Addresses are handed out in a circle, so that one is not reused right after it was freed: a
client that still remembers the Pod before does not meet another one.
"""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class PoolExhausted(Exception):
    """No address of the podCIDR is free."""


def next_free(network: Network, used: set[str], last: str) -> str:
    """The first free address after `last`, around the end of the range.

    The network's own address, the first one (the node's) and the broadcast address stay out.
    """
    first, count = int(network.network_address) + 2, network.num_addresses - 3
    address_type = type(network.network_address)
    offset = int(address_type(last)) - first + 1 if last else 0
    for step in range(count):
        address = str(address_type(first + (offset + step) % count))
        if address not in used:
            return address
    raise PoolExhausted(f"no free address in {network}: {count} Pods have one")


class AddressPool:
    """One address per Pod uid. The file is written before the address is used."""

    def __init__(self, file: Path, pod_cidr: str) -> None:
        self._file = file
        self._network = ipaddress.ip_network(pod_cidr)
        self._by_uid: dict[str, str] = {}
        self._last = ""
        if file.exists():
            stored = json.loads(file.read_text())
            self._last = stored["last"]
            self._by_uid = {
                uid: address
                for uid, address in stored["pods"].items()
                if ipaddress.ip_address(address) in self._network
            }
            if self._last and ipaddress.ip_address(self._last) not in self._network:
                self._last = ""

    @property
    def own_address(self) -> str:
        """The node's address among its Pods: the podCIDR's first."""
        return str(self._network[1])

    def allocate(self, uid: str) -> str:
        """The Pod's address, the same one when asked again. Raises PoolExhausted."""
        if uid not in self._by_uid:
            self._last = next_free(self._network, set(self._by_uid.values()), self._last)
            self._by_uid[uid] = self._last
            self._save()
        return self._by_uid[uid]

    def release(self, uid: str) -> None:
        if self._by_uid.pop(uid, None):
            self._save()

    def uids(self) -> list[str]:
        return list(self._by_uid)

    def _save(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".tmp")
        draft.write_text(json.dumps({"last": self._last, "pods": self._by_uid}))
        draft.replace(self._file)
