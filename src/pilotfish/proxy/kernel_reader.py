"""Reads what a node's kernel holds, beside the proxy that writes it."""

from __future__ import annotations

from typing import NamedTuple

from pilotfish.proxy import reading
from pilotfish.proxy.family import FAMILIES
from pilotfish.proxy.fronts import Front, Target
from pilotfish.proxy.kernel import KernelTables
from pilotfish.proxy.nfnetlink import NetfilterSocket
from pilotfish.proxy.reading import Broken


class Held(NamedTuple):
    """What was read.

    Attributes:
        fronts: what happens at each.
        remembered: how many clients of a sticky front are remembered.
    """

    fronts: dict[Front, Target | Broken]
    remembered: dict[Front, int]


def read(netfilter: NetfilterSocket) -> Held:
    """Both families' tables, in the network namespace of the socket. Raises OSError."""
    held = Held({}, {})
    for family in FAMILIES:
        kernel = KernelTables(netfilter, family)
        held.fronts.update(
            reading.fronts({name: dict(kernel.read(name)) for name in reading.FRONT_MAPS})
        )
        for (_, address, protocol, port), _ in kernel.read("affinity"):
            front = Front(str(address), str(protocol), int(port))
            held.remembered[front] = held.remembered.get(front, 0) + 1
    return held
