"""Ranges of one address family: several pools that share what is taken.

They come and go with ServiceCIDRs. An address stays taken while its Service has it, also when
its range is no longer handed out from.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network

from pilotfish.apiserver.allocation.pool import Books, Pool, PoolExhaustedError

Network = IPv4Network | IPv6Network


class Ranges:
    """What a family's addresses are handed out from."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self.books = Books()
        self.use(networks)

    def use(self, networks: Sequence[Network]) -> None:
        """Hand out from these from now on."""
        self._networks = list(networks)
        self._pools = [_pool(network, self.books) for network in networks]

    def __contains__(self, number: int) -> bool:
        return any(number in pool for pool in self._pools)

    def __str__(self) -> str:
        return ", ".join(map(str, self._networks))

    def take(self, number: int) -> bool:
        """Take exactly this number; False if it was taken before."""
        if number in self.books:
            return False
        self.books.book(number)
        return True

    def take_any(self) -> int:
        """Take a random free number of the first range that has one.

        Raises:
            PoolExhaustedError: when none has.
        """
        for pool in self._pools:
            try:
                return pool.take_any()
            except PoolExhaustedError:
                continue
        raise PoolExhaustedError

    def give_back(self, number: int) -> None:
        """Free a number."""
        self.books.give_back(number)


def _pool(network: Network, books: Books) -> Pool:
    """All addresses but the network's and, for IPv4, the broadcast's.

    The static band is kube-apiserver's: min(max(16, size/16), 256).
    """
    first = int(network.network_address) + 1
    last = int(network.broadcast_address) - (network.version == 4)
    return Pool(first, last, min(max(16, (last - first + 1) // 16), 256), books)
