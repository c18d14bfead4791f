"""Namespaces for the tests of the network, all named t-g-…, all removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pilotfish.network import links, namespaces
from pilotfish.network.netlink import Netlink

PREFIX = "t-g-"


def loopback_up() -> None:
    with Netlink() as nl:
        links.set_up(nl, "lo")


@pytest.fixture
def make_namespace() -> Iterator[Callable[[str], str]]:
    """Makes a namespace with its loopback up, and gives its name."""
    made: list[str] = []

    def make(suffix: str) -> str:
        name = PREFIX + suffix
        namespaces.delete(name)
        namespaces.create(name, setup=loopback_up)
        made.append(name)
        return name

    yield make
    for name in made:
        namespaces.delete(name)
