"""The kernel filter of the capture: a classic BPF program.

It lets IP packets through and drops the talk of the control plane with the node: the tap would
else see its own output, and see it again. It also drops what only passes by: packets between
Pods on the link to the other nodes were seen, or will be, on a Pod's own link.

Source: Documentation/networking/filter.rst of Linux. Jumps go forward by at most 255 instructions,
so blocks that decide end in returns of their own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand

# BPF_LD | size | BPF_ABS (or BPF_IND: relative to X), and what to do with the accumulator.
_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE = 0x20, 0x28, 0x30
_LOAD_HALF_X = 0x48
_LOAD_HEADER_LENGTH = 0xB1  # X = 4 * (P[k] & 0xf): the length of an IPv4 header
_EQUAL, _ANY_BIT, _AND, _RETURN = 0x15, 0x45, 0x54, 0x06
_INTERFACE_AT = 0xFFFFF000 + 8  # SKF_AD_OFF + SKF_AD_IFINDEX

_ETHERTYPE_AT = 12
_IPV4, _IPV6 = 0x0800, 0x86DD
_VLAN, _SERVICE_VLAN = 0x8100, 0x88A8
_TCP = 6
_FRAGMENT_OFFSET = 0x1FFF

_KEEP: Instruction = (_RETURN, 0, 0, 0x40000)
_DROP: Instruction = (_RETURN, 0, 0, 0)

# Beyond it there are so many ranges that testing costs more than it saves.
_MOST_FOR_PASSING = 120

# API server, proxy, kubelet, tap.
CONTROL_PLANE_PORTS = (6443, 10249, 10250, 10251)


def program(
    node_addresses: Iterable[bytes],
    ports: Sequence[int] = CONTROL_PLANE_PORTS,
    outer_links: Iterable[int] = (),
    pod_networks: Iterable[tuple[bytes, int]] = (),
) -> list[Instruction]:
    """The program for a node.

    Args:
        node_addresses: the node's own addresses (4 or 16 bytes): TCP between them and anybody's
            `ports`, or from anybody to these ports of theirs, is dropped.
        ports: of the control plane.
        outer_links: indexes of the interfaces that lead to other nodes.
        pod_networks: the ranges of Pod addresses; packets between two of them are dropped on
            those interfaces (IPv4; they are only an effort saved).

    Raises:
        ValueError: for more addresses than the jumps of a program can span.
    """
    own = list(node_addresses)
    passing = _drop_passing(sorted(outer_links), list(pod_networks))
    ipv4 = [*passing, *_drop_chatter(4, [each for each in own if len(each) == 4], ports), _KEEP]
    ipv6 = [*_drop_chatter(16, [each for each in own if len(each) == 16], ports), _KEEP]
    return [
        (_LOAD_HALF, 0, 0, _ETHERTYPE_AT),
        # Packets with a VLAN tag are few: they are told apart when they are dissected.
        (_EQUAL, 0, 1, _VLAN),
        _KEEP,
        (_EQUAL, 0, 1, _SERVICE_VLAN),
        _KEEP,
        *_when(_EQUAL, _IPV4, ipv4),
        *_when(_EQUAL, _IPV6, ipv6),
        _DROP,
    ]


def _when(test: int, operand: int, block: list[Instruction]) -> list[Instruction]:
    """`block` only where the accumulator passes a test; a block returns at its end."""
    if len(block) > 255:
        raise ValueError(f"a BPF program cannot jump over {len(block)} instructions")
    return [(test, 0, len(block), operand), *block]


def _drop_passing(links: list[int], networks: list[tuple[bytes, int]]) -> list[Instruction]:
    """Drop IPv4 packets between Pods on these links."""
    ranges = ipaddress.collapse_addresses(
        ipaddress.IPv4Network((address, length))
        for address, length in networks
        if len(address) == 4
    )
    tests = [(int(each.netmask), int(each.network_address)) for each in ranges]
    to_pod: list[Instruction] = []
    for mask, network in tests:
        to_pod += [(_LOAD_WORD, 0, 0, 30), (_AND, 0, 0, mask), (_EQUAL, 0, 1, network), _DROP]
    between: list[Instruction] = []
    for mask, network in tests:
        between += [(_LOAD_WORD, 0, 0, 26), (_AND, 0, 0, mask)]
        between += [(_EQUAL, 0, len(to_pod), network), *to_pod]
    result: list[Instruction] = []
    for link in links:
        result += [(_LOAD_WORD, 0, 0, _INTERFACE_AT), (_EQUAL, 0, len(between), link), *between]
    return result if len(result) <= _MOST_FOR_PASSING else []


def _drop_chatter(size: int, own: list[bytes], ports: Sequence[int]) -> list[Instruction]:
    """Drop the control plane's TCP of one family, whose addresses have `size` bytes."""
    if not own or not ports:
        return []
    ipv4 = size == 4
    source_at = 14 + (12 if ipv4 else 8)
    # X holds where the transport header begins, less the link header's 14 bytes. The header of
    # IPv6 is taken as one without extensions: control planes send none.
    load_port = [_LOAD_HALF_X, _LOAD_HALF_X] if ipv4 else [_LOAD_HALF, _LOAD_HALF]
    port_at = [14, 16] if ipv4 else [54, 56]
    for_ports: list[Instruction] = []
    for code, at in zip(load_port, port_at, strict=True):
        for_ports.append((code, 0, 0, at))
        for port in ports:
            for_ports += [(_EQUAL, 0, 1, port), _DROP]
    with_header: list[Instruction] = (
        [(_LOAD_HEADER_LENGTH, 0, 0, 14), *for_ports] if ipv4 else for_ports
    )
    for_own: list[Instruction] = []
    for address in own:
        for at in (source_at, source_at + size):
            for_own += _matches(at, address, with_header)
    # Later fragments have no ports: they are kept, and find nobody.
    whole = (
        [(_LOAD_HALF, 0, 0, 20), (_ANY_BIT, len(for_own), 0, _FRAGMENT_OFFSET), *for_own]
        if ipv4
        else for_own
    )
    if len(for_own) > 255:
        raise ValueError(f"a BPF program cannot jump over {len(for_own)} instructions")
    return [(_LOAD_BYTE, 0, 0, 23 if ipv4 else 20), *_when(_EQUAL, _TCP, whole)]


def _matches(at: int, address: bytes, block: list[Instruction]) -> list[Instruction]:
    """`block` where the address at `at` is this one; what follows it otherwise."""
    words = [address[i : i + 4] for i in range(0, len(address), 4)]
    result: list[Instruction] = []
    for number, word in enumerate(words):
        rest = 2 * (len(words) - number - 1)
        result += [
            (_LOAD_WORD, 0, 0, at + 4 * number),
            (_EQUAL, 0, rest + len(block), int.from_bytes(word, "big")),
        ]
    return [*result, *block]
