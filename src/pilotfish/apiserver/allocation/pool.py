"""A pool of numbers handed out at random, with a lower band kept for hand-chosen ones.

Kubernetes divides the range of ClusterIPs and of NodePorts alike: automatic choices come from
the upper part and reach into the lower band only when the upper part is used up, so that a
manifest that names a low number seldom collides.
https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/
https://kubernetes.io/docs/reference/networking/virtual-ips/
"""

from __future__ import annotations

import random


class PoolExhaustedError(Exception):
    """Every number of the pool is taken."""


class Books:
    """Which numbers are taken: those booked here, and those that others are known to hold."""

    def __init__(self) -> None:
        self._booked: set[int] = set()
        self._held: set[int] = set()

    def __contains__(self, number: int) -> bool:
        return number in self._booked or number in self._held

    def book(self, number: int) -> None:
        self._booked.add(number)

    def give_back(self, number: int) -> None:
        """The end of `book`."""
        self._booked.discard(number)

    def hold(self, number: int) -> None:
        """Somebody has it, whoever booked it."""
        self._held.add(number)

    def let_go(self, number: int) -> None:
        """Nobody has it any more, whoever booked it."""
        self._held.discard(number)
        self._booked.discard(number)


class Pool:
    """The numbers first..last (both included), each free or taken."""

    def __init__(self, first: int, last: int, static_band: int, books: Books | None = None) -> None:
        """
        Args:
            static_band: how many of the lowest numbers are kept for hand-chosen ones.
            books: the numbers that are taken, when several pools share them.
        """
        self.first = first
        self.last = last
        self._dynamic = min(first + static_band, last + 1)
        self.books = Books() if books is None else books

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def take(self, number: int) -> bool:
        """Take exactly this number; False if it was taken before."""
        if number in self.books:
            return False
        self.books.book(number)
        return True

    def take_any(self) -> int:
        """Take a random free number, from the upper part while it lasts."""
        for low, high in ((self._dynamic, self.last), (self.first, self._dynamic - 1)):
            number = self._free_between(low, high)
            if number is not None:
                self.books.book(number)
                return number
        raise PoolExhaustedError

    def give_back(self, number: int) -> None:
        self.books.give_back(number)

    def _free_between(self, low: int, high: int) -> int | None:
        if low > high:
            return None
        start = random.randint(low, high)
        for number in range(start, high + 1):
            if number not in self.books:
                return number
        for number in range(low, start):
            if number not in self.books:
                return number
        return None
