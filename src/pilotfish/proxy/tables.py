"""What is installed in a family's tables, and by which change it becomes what is wanted.

`Tables` remembers what is installed. `Tables.change` takes what some Services want now and gives
the `Change` that leads there: the elements and chains that come and go, no more. A change is
applied by `kernel.KernelTables` in one transaction.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pilotfish.proxy.fronts import (
    NOTHING,
    At,
    Balance,
    Chain,
    Choose,
    Endpoint,
    Front,
    Installed,
    Key,
    Remember,
    Target,
    Value,
    Wanted,
    assign_slots,
    elements,
)

log = logging.getLogger(__name__)

_MANY_ENDPOINTS = 5_000
_SPARE_CHAINS = 64


@dataclass
class Change:
    """The way from one state of the tables to the next.

    `removed` and `added`: elements by the name of their map or set; one whose value changed is in
    both. `intervals`: the whole new content of sets of CIDRs. `forgotten`: by a front's
    address, protocol and port, the endpoints that clients may still be remembered with; all others
    must go. `flows`: likewise, where established UDP flows to a front may still lead.
    """

    chains_added: list[Chain] = field(default_factory=list)
    chains_removed: list[Chain] = field(default_factory=list)
    removed: dict[str, list[Key]] = field(default_factory=dict)
    added: dict[str, list[tuple[Key, Value]]] = field(default_factory=dict)
    intervals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    forgotten: dict[At, frozenset[Endpoint]] = field(default_factory=dict)
    flows: dict[At, frozenset[Endpoint]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many elements it is about."""
        return sum(map(len, self.removed.values())) + sum(map(len, self.added.values()))

    def __bool__(self) -> bool:
        return bool(
            self.chains_added or self.chains_removed or self.removed or self.added
            or self.intervals or self.forgotten or self.flows
        )  # fmt: skip


class Tables:
    """What is installed in the tables of one family. Not more than a memory: no I/O."""

    def __init__(self) -> None:
        self._services: dict[str, Wanted] = {}
        self._fronts: dict[Front, tuple[str, Installed]] = {}
        self._contested: dict[Front, set[str]] = {}
        self._shared: Counter[tuple[str, Key]] = Counter()
        self._chains: Counter[Chain] = Counter()
        self._own: tuple[str, ...] = ()
        self._ranges: tuple[str, ...] = ()

    def target(self, front: Front) -> Target | None:
        """What is installed at a front; None where no Service answers."""
        found = self._fronts.get(front)
        return found[1].target if found else None

    def services(self) -> Iterable[str]:
        return self._services.keys()

    def written(self) -> dict[Front, tuple[str, Target]]:
        """What is installed at every front, with the name of the Service or Pod that wants it."""
        return {front: (name, found.target) for front, (name, found) in self._fronts.items()}

    def change(
        self,
        services: Mapping[str, Wanted],
        own: tuple[str, ...] | None = None,
        ranges: tuple[str, ...] | None = None,
    ) -> Change:
        """Take what Services and Pods (by kind and name) want now, and say how to get there.

        `own`: CIDRs of this node and its Pods; `ranges`: CIDRs whose addresses are all Services'.
        None leaves them as they are.
        """
        work = _Work(self._chains)
        # Releases first: a front that moves from one Service to another is then free.
        for name, wanted in services.items():
            before = self._services.get(name, NOTHING)
            for front in before.fronts:
                if front not in wanted.fronts:
                    self._release(front, name, services, work)
        for name, wanted in services.items():
            before = self._services.get(name, NOTHING)
            for front in wanted.fronts:
                self._claim(front, name, wanted, work)
            self._share(_shared_elements(before), _shared_elements(wanted), work)
            if wanted == NOTHING:
                self._services.pop(name, None)
            else:
                self._services[name] = wanted
        change = work.finish()
        self._keep_clients(change)
        if own is not None and own != self._own:
            change.intervals["own-addresses"] = self._own = own
        if ranges is not None and ranges != self._ranges:
            change.intervals["service-ranges"] = self._ranges = ranges
        return change

    def everything(self) -> Change:
        """The change that leads from no tables at all to what is installed."""
        self._chains = Counter()  # those that nothing uses are left out
        work = _Work(self._chains)
        for front, (_, installed) in self._fronts.items():
            work.put(front, None, installed)
        for name, key in self._shared:
            work.share(name, key, there=True)
        change = work.finish()
        if len(change.added.get("endpoints", ())) > _MANY_ENDPOINTS:
            self._add_spare_chains(change)
        change.intervals = {"own-addresses": self._own, "service-ranges": self._ranges}
        for front, (_, (target, _)) in self._fronts.items():
            if isinstance(target, Balance) and target.sticky_s:
                change.forgotten[front.at] = frozenset()
        self._keep_clients(change)
        return change

    def _add_spare_chains(self, change: Change) -> None:
        """Chains that the next changes may need.

        When a chain is added the kernel walks the whole map that it uses: 20 ms for 100,000
        endpoints, a thousand times what an element takes. Now, while the maps are empty, they are
        free.
        """
        for among in range(1, _SPARE_CHAINS + 1):
            chain = Choose(among)
            if chain not in self._chains:
                self._chains[chain] = 0
                change.chains_added.append(chain)

    def _keep_clients(self, change: Change) -> None:
        """Fill in which endpoints clients may keep: all that the front has now, in either scope."""
        for clients, sticky_only in ((change.forgotten, True), (change.flows, False)):
            for at in clients:
                for external in (False, True):
                    target = self.target(Front(*at, external=external))
                    if isinstance(target, Balance) and (target.sticky_s or not sticky_only):
                        clients[at] |= frozenset(target.endpoints)

    def _claim(self, front: Front, name: str, wanted: Wanted, work: _Work) -> None:
        owner, before = self._fronts.get(front, ("", None))
        if owner and owner != name:
            contenders = self._contested.setdefault(front, {owner})
            if name not in contenders:
                contenders.add(name)
                log.warning(
                    "%s wants %s:%d/%s, where %s answers already; it keeps it",
                    name, front.address, front.port, front.protocol, owner,
                )  # fmt: skip
            return
        target = wanted.fronts[front]
        if isinstance(target, Balance):
            installed = before.target if before else None
            slots = installed.endpoints if isinstance(installed, Balance) else ()
            target = Balance(assign_slots(slots, target.endpoints), target.sticky_s, target.counter)
        after = Installed(target, wanted.sources.get(front))
        self._fronts[front] = (name, after)
        work.put(front, before, after)

    def _release(
        self, front: Front, name: str, services: Mapping[str, Wanted], work: _Work
    ) -> None:
        contenders = self._contested.get(front, set())
        contenders.discard(name)
        # Where all who contended release in one change, the first has found no heir.
        owner, before = self._fronts.get(front, ("", None))
        if owner == name:
            del self._fronts[front]
            work.put(front, before, None)
            for heir in sorted(contenders):
                wanted = services.get(heir) or self._services.get(heir, NOTHING)
                if front in wanted.fronts:
                    self._claim(front, heir, wanted, work)
                    break
        if len(contenders) < 2:
            self._contested.pop(front, None)

    def _share(
        self, before: set[tuple[str, Key]], after: set[tuple[str, Key]], work: _Work
    ) -> None:
        """Elements that several Services may want: there while at least one does."""
        for name, key in after - before:
            self._shared[name, key] += 1
            if self._shared[name, key] == 1:
                work.share(name, key, there=True)
        for name, key in before - after:
            self._shared[name, key] -= 1
            if not self._shared[name, key]:
                del self._shared[name, key]
                work.share(name, key, there=False)


def _shared_elements(wanted: Wanted) -> set[tuple[str, Key]]:
    found: set[tuple[str, Key]] = {("hairpins", (own, own)) for own in wanted.own_endpoints}
    found.update(("balanced", (address,)) for address in wanted.balanced)
    return found


_ABSENT: Any = object()


class _Work:
    """Collects what happens to fronts and shared elements, so that coming and going cancel out."""

    def __init__(self, chains: Counter[Chain]) -> None:
        self._chains = chains
        self._fronts: dict[Front, tuple[Installed | None, Installed | None]] = {}
        self._shared: dict[tuple[str, Key], tuple[bool, bool]] = {}

    def put(self, front: Front, before: Installed | None, after: Installed | None) -> None:
        first = self._fronts[front][0] if front in self._fronts else before
        self._fronts[front] = (first, after)

    def share(self, name: str, key: Key, *, there: bool) -> None:
        first = self._shared.get((name, key), (not there, there))[0]
        self._shared[name, key] = (first, there)

    def finish(self) -> Change:
        change = Change()
        counts: Counter[Chain] = Counter()
        for front, (before, after) in self._fronts.items():
            if before == after:
                continue
            _note_clients(change, front, before, after)
            old = _by_key(front, before)
            for name, key, value in elements(front, after) if after is not None else ():
                was = old.pop((name, key), _ABSENT)
                if was == value:
                    continue
                change.added.setdefault(name, []).append((key, value))
                if isinstance(value, Choose | Remember):
                    counts[value] += 1
                if was is not _ABSENT:
                    old[name, key] = was
            for (name, key), was in old.items():
                change.removed.setdefault(name, []).append(key)
                if isinstance(was, Choose | Remember):
                    counts[was] -= 1
        for (name, key), (was_there, is_there) in self._shared.items():
            if is_there and not was_there:
                change.added.setdefault(name, []).append((key, None))
            elif was_there and not is_there:
                change.removed.setdefault(name, []).append(key)
        self._settle_chains(change, counts)
        return change

    def _settle_chains(self, change: Change, counts: Counter[Chain]) -> None:
        """Which chains come and go. One that many Services may share stays, used or not: a new
        chain is what the kernel takes longest for."""
        for chain, by in counts.items():
            if chain not in self._chains:
                change.chains_added.append(chain)
            self._chains[chain] += by
            if isinstance(chain, Choose) and chain.counter and not self._chains[chain]:
                change.chains_removed.append(chain)
                del self._chains[chain]


def _by_key(front: Front, installed: Installed | None) -> dict[tuple[str, Key], Value]:
    if installed is None:
        return {}
    return {(name, key): value for name, key, value in elements(front, installed)}


def _note_clients(
    change: Change, front: Front, before: Installed | None, after: Installed | None
) -> None:
    """That a front's clients must be looked through; `Tables.change` says whom they may keep."""
    old, new = _endpoints(before), _endpoints(after)
    lost = old - new
    if _is_sticky(before) and (lost or not _is_sticky(after)):
        change.forgotten[front.at] = frozenset()
    # Flows that began while nothing answered here, too, must not stay where they went.
    if front.protocol == "udp" and (lost or not old):
        change.flows[front.at] = frozenset()


def _is_sticky(installed: Installed | None) -> bool:
    target = installed.target if installed else None
    return isinstance(target, Balance) and bool(target.sticky_s)


def _endpoints(installed: Installed | None) -> frozenset[Endpoint]:
    target = installed.target if installed else None
    return frozenset(target.endpoints) if isinstance(target, Balance) else frozenset()
