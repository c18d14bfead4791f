"""Tables of one family in memory, for tests of what leads to them."""

from __future__ import annotations

import errno

from pilotfish.proxy import layout
from pilotfish.proxy.fronts import Chain, Choose, Key, Remember, Value
from pilotfish.proxy.nfnetlink import NetfilterError
from pilotfish.proxy.tables import Change


class FakeTables:
    """A `TableWriter` that refuses what the kernel would refuse."""

    def __init__(self) -> None:
        self.elements: dict[str, dict[Key, Value]] = {name: {} for name in layout.SETS}
        self.chains: dict[str, Chain] = {}
        self.intervals: dict[str, tuple[str, ...]] = {}
        self.transactions = 0

    def replace(self, everything: Change) -> None:
        self.__init__()  # type: ignore[misc]
        self.apply(everything)

    def apply(self, change: Change) -> None:
        for chain in change.chains_added:
            if chain.name in self.chains:
                raise NetfilterError(errno.EEXIST)
            self.chains[chain.name] = chain
        for name, keys in change.removed.items():
            for key in keys:
                if key not in self.elements[name]:
                    raise NetfilterError(errno.ENOENT)
                del self.elements[name][key]
        for name, items in change.added.items():
            for key, value in items:
                if key in self.elements[name]:
                    raise NetfilterError(errno.EEXIST)
                if isinstance(value, Choose | Remember) and value.name not in self.chains:
                    raise NetfilterError(errno.ENOENT)
                self.elements[name][key] = value
        self.intervals |= change.intervals
        for chain in change.chains_removed:
            if any(chain in elements.values() for elements in self.elements.values()):
                raise NetfilterError(errno.EBUSY)
            del self.chains[chain.name]
        self.transactions += 1

    def is_whole(self) -> bool:
        return self.transactions > 0
