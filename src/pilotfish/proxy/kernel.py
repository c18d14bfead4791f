"""The kernel's tables of one address family: changes in, one transaction each.

`KernelTables` writes to nftables in the network namespace of the thread that makes it. Tests put a
fake of the same interface (`TableWriter`) in its place, and assert on tables, not on calls.

`replace` deletes the table and writes all of it anew in one transaction. So it does not matter
what was there before (an older layout, somebody's changes, half of it), and there is no moment
without rules: packets see the old table or the new. Connections that are established are in
conntrack and do not notice. Clients that a sticky Service remembers are carried over.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Mapping
from typing import Protocol

from pilotfish.network.message import NLM_F_CREATE, attribute, attributes
from pilotfish.proxy import elements, layout
from pilotfish.proxy.family import Family
from pilotfish.proxy.fronts import At, Endpoint, Key, Value
from pilotfish.proxy.nfnetlink import (
    SUBSYSTEM_NFTABLES,
    NetfilterError,
    NetfilterSocket,
    Request,
    be32,
    nested,
)
from pilotfish.proxy.tables import Change

_NEWTABLE, _GETTABLE, _DELTABLE = 0, 1, 2
_NEWCHAIN, _DELCHAIN = 3, 5
_NEWRULE = 6
_NEWSET = 9
_NEWSETELEM, _GETSETELEM, _DELSETELEM = 12, 13, 14
_NLM_F_APPEND = 0x800

_SET_INTERVAL, _SET_MAP, _SET_TIMEOUT, _SET_EVAL, _SET_CONCAT = 0x4, 0x8, 0x10, 0x20, 0x80
_DATA_VERDICT = 0xFFFFFF00
_TYPE_PROTOCOL, _TYPE_PORT, _TYPE_SLOT = 12, 13, 19  # nft's datatypes; a slot is shown as a mark
_AFFINITY_MAX = 1 << 18  # clients remembered; the kernel wants a bound where packets add elements
_AFFINITY_TIMEOUT_MS = 10_800_000  # when a rule names none; Kubernetes' default


class AnotherWriterError(Exception):
    """Another proxy holds the tables of this network namespace."""


class WriterLock:
    """At most one writer to the tables of a network namespace.

    An abstract Unix socket: its name belongs to the network namespace, and the kernel frees it
    with the process, however that ends.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind("\0pilotfish-proxy")
        except OSError as error:
            self._socket.close()
            if error.errno == errno.EADDRINUSE:
                raise AnotherWriterError(
                    "another Pilotfish proxy writes the tables of this network namespace; "
                    "stop it first"
                ) from error
            raise

    def release(self) -> None:
        self._socket.close()


class TableWriter(Protocol):
    """What the proxier needs of a family's tables. Calls block and raise NetfilterError."""

    def replace(self, everything: Change) -> None:
        """Make the table hold exactly this, whatever it held."""

    def apply(self, change: Change) -> None:
        """One step from what it holds."""

    def is_whole(self) -> bool:
        """Whether the table still has all chains and sets that were written; cheap to ask."""


class KernelTables:
    """The nftables table `pilotfish` of one family."""

    def __init__(self, netfilter: NetfilterSocket, family: Family) -> None:
        self._netfilter = netfilter
        self._family = family
        self._codec = elements.Codec(family)
        self._use = 0  # of the table, after what was written last

    def replace(self, everything: Change) -> None:
        remembered = self._remembered(everything.forgotten)
        table = Request(_NEWTABLE, NLM_F_CREATE, _table())
        requests = [table, Request(_DELTABLE, 0, _table()), table]
        requests += self._structure()
        requests += [*self._chains(everything), *self._elements(everything)]
        if remembered:
            requests += _element_requests(_NEWSETELEM, "affinity", iter(remembered))
        self._netfilter.transact(self._family.number, requests)
        self._use = self._table_use()

    def apply(self, change: Change) -> None:
        # Chains first: a packet under way keeps to the rules of the generation in which it began,
        # where a chain of the same transaction as the verdict that leads there is still empty.
        chains = list(self._chains(change))
        if chains:
            self._netfilter.transact(self._family.number, chains)
        self._netfilter.transact(self._family.number, list(self._elements(change)))
        self._use += len(change.chains_added) - len(change.chains_removed)
        if change.forgotten:
            self._forget(change.forgotten)

    def is_whole(self) -> bool:
        return self._table_use() == self._use

    def remove(self) -> None:
        """Delete the table. Fine when there is none."""
        requests = [Request(_NEWTABLE, NLM_F_CREATE, _table()), Request(_DELTABLE, 0, _table())]
        self._netfilter.transact(self._family.number, requests)

    def read(self, name: str) -> Iterator[tuple[Key, Value | str]]:
        """The elements of a map or set as they are in the kernel. Nothing where there is none."""
        for encoded in self._dump(name):
            yield self._codec.unpack(name, encoded)

    def _table_use(self) -> int:
        """How many chains and sets the table has, as the kernel counts them; 0: there is none."""
        for listed in self._netfilter.dump(
            SUBSYSTEM_NFTABLES << 8 | _GETTABLE, self._family.number
        ):
            found = attributes(listed)
            if found[1].rstrip(b"\0").decode() == layout.TABLE:
                return int.from_bytes(found[3], "big")  # NFTA_TABLE_USE
        return 0

    def _structure(self) -> Iterator[Request]:
        for name, hook in layout.chains():
            yield Request(_NEWCHAIN, NLM_F_CREATE, _chain(name, hook))
        for number, spec in enumerate(layout.SETS.values(), start=1):
            yield Request(_NEWSET, NLM_F_CREATE, self._set(number, spec))
        for rule in layout.rules(self._family):
            yield Request(_NEWRULE, NLM_F_CREATE | _NLM_F_APPEND, _rule(rule))

    def _chains(self, change: Change) -> Iterator[Request]:
        for chain in change.chains_added:
            yield Request(_NEWCHAIN, NLM_F_CREATE, _chain(chain.name, None))
            for rule in layout.chain_rules(self._family, chain):
                yield Request(_NEWRULE, NLM_F_CREATE | _NLM_F_APPEND, _rule(rule))

    def _elements(self, change: Change) -> Iterator[Request]:
        for name, keys in change.removed.items():
            encoded = self._codec.pack(name, ((key, None) for key in keys))
            yield from _element_requests(_DELSETELEM, name, encoded)
        for name, items in change.added.items():
            encoded = self._codec.pack(name, items)
            yield from _element_requests(_NEWSETELEM, name, encoded)
        for name, cidrs in change.intervals.items():
            yield Request(_DELSETELEM, 0, _element_list(name, b""))
            encoded = self._codec.pack_interval(cidrs)
            yield from _element_requests(_NEWSETELEM, name, encoded)
        for chain in change.chains_removed:
            yield Request(_DELCHAIN, 0, _chain(chain.name, None))

    def _set(self, number: int, spec: layout.Set) -> bytes:
        flags = 0
        attributes_ = [attribute(1, layout.TABLE), attribute(2, spec.name), be32(10, number)]
        if layout.CIDR in spec.key:
            flags |= _SET_INTERVAL
        if len(spec.key) > 1:
            flags |= _SET_CONCAT
            lengths = [nested(1, be32(1, self._bytes(field))) for field in spec.key]
            size = [be32(1, _AFFINITY_MAX)] if spec.remembers else []
            attributes_.append(nested(9, *size, nested(2, *lengths)))
        if spec.data:
            flags |= _SET_MAP
            verdict = spec.data == (layout.VERDICT,)
            data_type = _DATA_VERDICT if verdict else self._datatype(spec.data)
            attributes_ += [be32(6, data_type), be32(7, 0 if verdict else self._width(spec.data))]
        if spec.remembers:
            flags |= _SET_TIMEOUT | _SET_EVAL
            attributes_.append(attribute(11, _AFFINITY_TIMEOUT_MS.to_bytes(8, "big")))
        attributes_ += [
            be32(3, flags),
            be32(4, self._datatype(spec.key)),
            be32(5, self._width(spec.key)),
        ]
        return b"".join(attributes_)

    def _datatype(self, fields: tuple[str, ...]) -> int:
        """nft's number for a concatenation of datatypes, so that `nft list` reads well."""
        types = {layout.PROTOCOL: _TYPE_PROTOCOL, layout.PORT: _TYPE_PORT, layout.SLOT: _TYPE_SLOT}
        number = 0
        for field in fields:
            number = number << 6 | types.get(field, self._family.address_type)
        return number

    def _bytes(self, field: str) -> int:
        sizes = {layout.PROTOCOL: 1, layout.PORT: 2, layout.SLOT: 4}
        return sizes.get(field, self._family.address_bytes)

    def _width(self, fields: tuple[str, ...]) -> int:
        return sum((self._bytes(field) + 3) & ~3 for field in fields)

    def _dump(self, name: str) -> Iterator[bytes]:
        body = attribute(1, layout.TABLE) + attribute(2, name)
        try:
            found = self._netfilter.dump(
                SUBSYSTEM_NFTABLES << 8 | _GETSETELEM, self._family.number, body
            )
        except NetfilterError as error:
            if error.errno == errno.ENOENT:
                return
            raise
        for listed in found:
            yield from elements.each_element(attributes(listed).get(3, b""))

    def _remembered(self, valid: Mapping[At, frozenset[Endpoint]]) -> list[bytes]:
        """Encoded elements of the map `affinity` as it is that are still `valid`."""
        if not valid:
            return []
        kept = []
        for encoded in self._dump("affinity"):
            key, endpoint = self._codec.unpack("affinity", encoded)
            if endpoint in valid.get(_front_of(key), ()):
                kept.append(elements.carried_over(encoded))
        return kept

    def _forget(self, valid: Mapping[At, frozenset[Endpoint]]) -> None:
        """Delete what is remembered of these fronts but for their `valid` endpoints."""
        while True:
            stale: list[tuple[Key, Value]] = []
            for key, endpoint in self.read("affinity"):
                allowed = valid.get(_front_of(key))
                if allowed is not None and endpoint not in allowed:
                    stale.append((key, None))
            encoded = self._codec.pack("affinity", stale)
            try:
                self._netfilter.transact(
                    self._family.number, list(_element_requests(_DELSETELEM, "affinity", encoded))
                )
            except NetfilterError as error:
                if error.errno != errno.ENOENT:
                    raise
                continue  # one of them expired meanwhile: the others are still there
            return


def _front_of(client: Key) -> At:
    """Of a key of the map `affinity`."""
    _, address, protocol, port = client
    return str(address), str(protocol), int(port)


def _table() -> bytes:
    return attribute(1, layout.TABLE)


def _chain(name: str, hook: layout.Hook | None) -> bytes:
    body = attribute(1, layout.TABLE) + attribute(3, name)
    if hook is not None:
        body += nested(4, be32(1, hook.number), be32(2, hook.priority)) + attribute(7, hook.type)
    return body


def _rule(rule: layout.Rule) -> bytes:
    return attribute(1, layout.TABLE) + attribute(2, rule.chain) + nested(4, rule.expressions)


def _element_list(name: str, encoded: bytes) -> bytes:
    return attribute(1, layout.TABLE) + attribute(2, name) + encoded


def _element_requests(kind: int, name: str, encoded: Iterator[bytes]) -> Iterator[Request]:
    flags = NLM_F_CREATE if kind == _NEWSETELEM else 0
    for part in elements.lists(encoded):
        yield Request(kind, flags, _element_list(name, part))
