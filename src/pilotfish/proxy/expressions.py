"""nf_tables expressions as netlink attributes: what a rule is made of.

A rule is a list of expressions that load registers, compare them, look them up. Registers here are
the sixteen 32-bit ones, numbered from 0; a value of several words fills the registers that follow.

Source: include/uapi/linux/netfilter/nf_tables.h of Linux.
"""

from __future__ import annotations

import struct

from pilotfish.network.message import attribute
from pilotfish.proxy.family import Family
from pilotfish.proxy.nfnetlink import be32, be64, nested

DROP = 0
_RETURN = -5
_GOTO = -4
_JUMP = -3

CT_STATE = 0
CT_STATUS = 2
STATE_NEW = 1 << 3  # NF_CT_STATE_BIT(IP_CT_NEW)
STATUS_DNAT = 1 << 5  # IPS_DST_NAT

_CT_PROTO_DST = 12
_CT_DST_IP = 20
_CT_DST_IP6 = 22
_NETWORK_HEADER = 1
_TRANSPORT_HEADER = 2
_META_L4PROTO = 16
_REG32_00 = 8
_VERDICT_REGISTER = 0
_RANGE_PROTO_RANDOM_FULLY = 1 << 4


def _expression(name: str, *attributes: bytes) -> bytes:
    # NFTA_LIST_ELEM { NFTA_EXPR_NAME, NFTA_EXPR_DATA }
    return nested(1, attribute(1, name), nested(2, *attributes))


def _register(kind: int, number: int) -> bytes:
    return be32(kind, _REG32_00 + number)


def verdict(code: int, chain: str = "") -> bytes:
    """The value of NFTA_DATA_VERDICT: NFTA_VERDICT_CODE and, for jump and goto, _CHAIN."""
    return nested(2, be32(1, code), attribute(2, chain) if chain else b"")


def goto_verdict(chain: str) -> bytes:
    """As `verdict`, for map elements."""
    return verdict(_GOTO, chain)


def source_address(family: Family, into: int) -> bytes:
    return _payload(_NETWORK_HEADER, family.source_offset, family.address_bytes, into)


def destination_address(family: Family, into: int) -> bytes:
    return _payload(_NETWORK_HEADER, family.destination_offset, family.address_bytes, into)


def destination_port(into: int) -> bytes:
    """TCP, UDP and SCTP keep it at the same place (RFC 9293 3.1, RFC 768, RFC 9260 3.1)."""
    return _payload(_TRANSPORT_HEADER, 2, 2, into)


def _payload(base: int, offset: int, length: int, into: int) -> bytes:
    return _expression(
        "payload", _register(1, into), be32(2, base), be32(3, offset), be32(4, length)
    )


def original_destination(family: Family, into: int) -> bytes:
    """The destination address of the connection's first packet, before any translation."""
    key = _CT_DST_IP if family.number == 2 else _CT_DST_IP6
    return _original(key, into)


def original_destination_port(into: int) -> bytes:
    return _original(_CT_PROTO_DST, into)


def _original(key: int, into: int) -> bytes:
    original = b"\0"
    return _expression("ct", _register(1, into), be32(2, key), attribute(3, original))


def protocol(into: int) -> bytes:
    return _expression("meta", _register(1, into), be32(2, _META_L4PROTO))


def protocol_is(number: int) -> bytes:
    """Go on only for this transport protocol. Uses register 0."""
    return protocol(0) + _compare(0, equal=True, value=bytes([number]))


def conntrack_has(key: int, bits: int) -> bytes:
    """Go on only when one of `bits` is set in the connection's CT_STATE or CT_STATUS.

    Uses register 0.
    """
    return (
        _expression("ct", _register(1, 0), be32(2, key))
        + _expression(
            "bitwise",
            _register(1, 0),
            _register(2, 0),
            be32(3, 4),
            nested(4, attribute(1, struct.pack("=I", bits))),
            nested(5, attribute(1, bytes(4))),
        )
        + _compare(0, equal=False, value=bytes(4))
    )


def _compare(register: int, *, equal: bool, value: bytes) -> bytes:
    return _expression(
        "cmp", _register(1, register), be32(2, 0 if equal else 1), nested(3, attribute(1, value))
    )


def in_set(name: str, key: int, *, inverted: bool = False) -> bytes:
    """Go on only when the key that starts in register `key` is (not) in the set."""
    return _expression("lookup", attribute(1, name), _register(2, key), be32(5, int(inverted)))


def map_value(name: str, key: int, into: int) -> bytes:
    """Load the value of a key; a key that is not in the map ends the rule."""
    return _expression("lookup", attribute(1, name), _register(2, key), _register(3, into))


def map_verdict(name: str, key: int) -> bytes:
    """Do what the verdict map says about a key, or end the rule."""
    return _expression("lookup", attribute(1, name), _register(2, key), be32(3, _VERDICT_REGISTER))


def number(modulus: int, into: int, *, counting: bool) -> bytes:
    """A number below `modulus`: random, or counting up, one counter to an expression."""
    kind = 0 if counting else 1
    return _expression("numgen", _register(1, into), be32(2, modulus), be32(3, kind))


def remember(name: str, key: int, value: int, timeout_s: int) -> bytes:
    """Add key → value to a dynamic map; of a key that is there, only the timeout starts anew."""
    update = 1
    return _expression(
        "dynset",
        attribute(1, name),
        be32(3, update),
        _register(4, key),
        _register(5, value),
        be64(6, timeout_s * 1000),
    )


def dnat(family: Family, address: int, port: int) -> bytes:
    destination = 1
    return _expression(
        "nat",
        be32(1, destination),
        be32(2, family.number),
        _register(3, address),
        _register(5, port),
    )


def masquerade() -> bytes:
    """With a random source port, so that two nodes' choices seldom clash on the way back."""
    return _expression("masq", be32(1, _RANGE_PROTO_RANDOM_FULLY))


def reject_with_tcp_reset() -> bytes:
    return _expression("reject", be32(1, 1), attribute(2, b"\0"))


def reject_with_port_unreachable(family: Family) -> bytes:
    return _expression("reject", be32(1, 0), attribute(2, bytes([family.port_unreachable])))


def jump(chain: str) -> bytes:
    return _immediate(verdict(_JUMP, chain))


def leave() -> bytes:
    """Return to the chain that jumped here."""
    return _immediate(verdict(_RETURN))


def drop() -> bytes:
    return _immediate(verdict(DROP))


def goto(chain: str) -> bytes:
    return _immediate(goto_verdict(chain))


def _immediate(value: bytes) -> bytes:
    return _expression("immediate", be32(1, _VERDICT_REGISTER), nested(2, value))
