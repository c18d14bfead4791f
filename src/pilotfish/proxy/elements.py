"""Map and set elements as netlink attributes: by far the most of what the kernel is told.

A key of several fields is their concatenation, each padded to 32 bits (the registers that rules
load). Values in network byte order, but for the slot: `numgen` leaves it in the machine's.

Source: include/uapi/linux/netfilter/nf_tables.h, NFTA_SET_ELEM_*.
"""

from __future__ import annotations

import ipaddress
import struct
import sys
from collections.abc import Iterable, Iterator

from pilotfish.network.message import attribute, attributes
from pilotfish.proxy import expressions, layout
from pilotfish.proxy.family import Family
from pilotfish.proxy.fronts import Choose, Endpoint, Key, Remember, Value
from pilotfish.proxy.nfnetlink import be32, nested

_ELEMENT = 1
_KEY, _DATA, _FLAGS, _TIMEOUT, _EXPIRATION, _KEY_END = 1, 2, 3, 4, 5, 10
_VALUE, _VERDICT = 1, 2
_INTERVAL_END = 1
_LIST_BYTES = 60_000  # an attribute's length has 16 bits
_NESTED = 0x8000

_ENDPOINT_SETS = tuple(name for name, spec in layout.SETS.items() if layout.SLOT in spec.key)
_HEADER = struct.Struct("=HH")
_PROTOCOL_PORT = struct.Struct("!BxxxHxx")
_PORT = struct.Struct("!Hxx")
_SLOT = struct.Struct("=I")


class Codec:
    """Elements of one family's sets and maps: plain values to bytes, and back."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._addresses: dict[str, bytes] = {}

    def pack(self, name: str, items: Iterable[tuple[Key, Value]]) -> Iterator[bytes]:
        """Elements of a map or set, encoded. A value of None encodes the key alone."""
        spec = layout.SETS[name]
        if spec.key[-1] == layout.CIDR:
            for key, _ in items:
                head = self._front(key) if len(key) > 1 else b""
                first, last = _range(str(key[-1]))
                yield nested(_ELEMENT, _key(_KEY, head + first), _key(_KEY_END, head + last))
            return
        if name in _ENDPOINT_SETS:
            yield from self._pack_endpoints(items)
            return
        for key, value in items:
            data = b"" if value is None else self._data(value)
            yield nested(_ELEMENT, _key(_KEY, self._packed_key(spec, key)), data)

    def pack_interval(self, cidrs: Iterable[str]) -> Iterator[bytes]:
        """The elements of a set of ranges: the first address of each, and the first after it."""
        for cidr in cidrs:
            first, last = _range(cidr)
            yield nested(_ELEMENT, _key(_KEY, first))
            end = int.from_bytes(last, "big") + 1
            if end >> (8 * len(last)) == 0:  # else the range is open to the end of all addresses
                after = end.to_bytes(len(last), "big")
                yield nested(_ELEMENT, _key(_KEY, after), be32(_FLAGS, _INTERVAL_END))

    def unpack(self, name: str, listed: bytes) -> tuple[Key, Value | str]:
        """One element that the kernel listed. A verdict is the name of its chain, or "drop"."""
        spec = layout.SETS[name]
        found = attributes(listed)
        key = self._unpack(spec.key, attributes(found[_KEY])[_VALUE])
        if _KEY_END in found and spec.key[-1] == layout.CIDR:
            last = self._unpack(spec.key, attributes(found[_KEY_END])[_VALUE])[-1]
            key = (*key[:-1], _cidr(str(key[-1]), str(last)))
        if _DATA not in found:
            return key, None
        value = attributes(found[_DATA])
        if _VALUE in value:
            address, port = self._unpack(spec.data, value[_VALUE])
            return key, Endpoint(str(address), int(port))
        chain = attributes(value[_VERDICT]).get(2)
        return key, chain.rstrip(b"\0").decode() if chain else "drop"

    def _pack_endpoints(self, items: Iterable[tuple[Key, Value]]) -> Iterator[bytes]:
        """As the general way, but nine tenths of all elements are these: lengths counted once."""
        key_bytes = self._family.address_bytes + 12
        data_bytes = self._family.address_bytes + 4
        key_head = _HEADER.pack(key_bytes + 8, _KEY | _NESTED) + _HEADER.pack(key_bytes + 4, _VALUE)
        data_head = _HEADER.pack(data_bytes + 8, _DATA | _NESTED) + _HEADER.pack(
            data_bytes + 4, _VALUE
        )
        key_only = _HEADER.pack(key_bytes + 12, _ELEMENT | _NESTED) + key_head
        whole = _HEADER.pack(key_bytes + data_bytes + 20, _ELEMENT | _NESTED) + key_head
        packed, slot, port = self._address, _SLOT.pack, _PORT.pack
        front_key: Key = ()
        front = b""
        for key, value in items:
            if key[:3] != front_key:
                front_key = key[:3]
                front = self._front(key)
            if isinstance(value, Endpoint):
                endpoint = packed(value.address) + port(value.port)
                yield whole + front + slot(key[3]) + data_head + endpoint
            else:
                yield key_only + front + slot(key[3])

    def _data(self, value: Value) -> bytes:
        if isinstance(value, Endpoint):
            return _key(_DATA, self._address(value.address) + _PORT.pack(value.port))
        if isinstance(value, Choose | Remember):
            return nested(_DATA, expressions.goto_verdict(value.name))
        if value == "refuse":
            return nested(_DATA, expressions.goto_verdict("refuse"))
        return nested(_DATA, expressions.verdict(expressions.DROP))

    def _address(self, address: str) -> bytes:
        packed = self._addresses.get(address)
        if packed is None:
            if len(self._addresses) > 100_000:
                self._addresses.clear()
            packed = self._addresses[address] = self._family.pack(address)
        return packed

    def _front(self, key: Key) -> bytes:
        return self._address(str(key[0])) + _PROTOCOL_PORT.pack(
            layout.PROTOCOLS[str(key[1])], key[2]
        )

    def _packed_key(self, spec: layout.Set, key: Key) -> bytes:
        if spec.key[-1] == layout.PORT:
            clients, front = key[:-3], key[-3:]
            return b"".join(self._address(str(c)) for c in clients) + self._front(front)
        return b"".join(self._address(str(field)) for field in key)

    def _unpack(self, fields: tuple[str, ...], data: bytes) -> Key:
        values: list[str | int] = []
        offset = 0
        for kind in fields:
            if kind in (layout.ADDRESS, layout.CIDR):
                end = offset + self._family.address_bytes
                values.append(self._family.unpack(data[offset:end]))
                offset = end
                continue
            word = data[offset : offset + 4]
            offset += 4
            if kind == layout.PROTOCOL:
                values.append(layout.PROTOCOL_NAMES.get(word[0], str(word[0])))
            elif kind == layout.PORT:
                values.append(int.from_bytes(word[:2], "big"))
            else:
                values.append(int.from_bytes(word, sys.byteorder))
        return tuple(values)


def lists(encoded: Iterable[bytes]) -> Iterator[bytes]:
    """Encoded elements gathered into as few NFTA_SET_ELEM_LIST_ELEMENTS as they fit."""
    pending: list[bytes] = []
    size = 0
    for element in encoded:
        if size + len(element) > _LIST_BYTES:
            yield nested(3, *pending)
            pending, size = [], 0
        pending.append(element)
        size += len(element)
    if pending:
        yield nested(3, *pending)


def each_element(listed: bytes) -> Iterator[bytes]:
    """The elements in a NFTA_SET_ELEM_LIST_ELEMENTS of the kernel's answer."""
    offset = 0
    while offset + 4 <= len(listed):
        (length, _) = _HEADER.unpack_from(listed, offset)
        yield listed[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def carried_over(listed: bytes) -> bytes:
    """An element of a dynamic map as listed, to be added anew with the time that it had left."""
    found = attributes(listed)
    kept = (_KEY, _DATA, _TIMEOUT, _EXPIRATION)
    return nested(_ELEMENT, *(attribute(kind, found[kind]) for kind in kept if kind in found))


def _key(kind: int, packed: bytes) -> bytes:
    return nested(kind, attribute(_VALUE, packed))


def _range(cidr: str) -> tuple[bytes, bytes]:
    network = ipaddress.ip_network(cidr, strict=False)
    return network.network_address.packed, network.broadcast_address.packed


def _cidr(first: str, last: str) -> str:
    low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
    prefix = low.max_prefixlen - (int(low) ^ int(high)).bit_length()
    return f"{low}/{prefix}"
