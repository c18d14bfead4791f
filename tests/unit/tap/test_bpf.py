"""The kernel filter keeps what the tap is for; tried with the machine of the kernel's manual."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pilotfish.tap import bpf
from support.wire import tcp, udp

NODE, API, POD, FAR_POD = "192.168.64.2", "192.168.64.1", "10.244.0.2", "10.244.1.2"
ETH0, VETH = 2, 5
NETWORKS = [(ip_address("10.244.0.0").packed, 24), (ip_address("10.244.1.0").packed, 24)]


def run(program: list[bpf.Instruction], frame: bytes, interface: int = 0) -> int:
    """Documentation/networking/filter.rst, as far as our programs go; bytes to keep."""
    accumulator = index = at = 0
    while True:
        code, if_true, if_false, k = program[at]
        at += 1
        match code:
            case 0x20 if k == 0xFFFFF008:
                accumulator = interface
            case 0x20 | 0x28 | 0x30 | 0x48:
                size = {0x20: 4, 0x28: 2, 0x30: 1, 0x48: 2}[code]
                start = k + (index if code == 0x48 else 0)
                if start + size > len(frame):
                    return 0
                accumulator = int.from_bytes(frame[start : start + size], "big")
            case 0xB1:
                index = 4 * (frame[k] & 0xF)
            case 0x54:
                accumulator &= k
            case 0x15:
                at += if_true if accumulator == k else if_false
            case 0x45:
                at += if_true if accumulator & k else if_false
            case 0x06:
                return k
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


def kept(frame: bytes, interface: int = VETH, own: tuple[str, ...] = (NODE,)) -> bool:
    addresses = [ip_address(each).packed for each in own]
    program = bpf.program(addresses, outer_links=[ETH0], pod_networks=NETWORKS)
    return run(program, frame, interface) > 0


@pytest.mark.parametrize("port", bpf.CONTROL_PLANE_PORTS)
def test_talk_with_the_control_plane_is_dropped_both_ways(port: int) -> None:
    assert not kept(tcp((API, 40000), (NODE, port), 1))
    assert not kept(tcp((NODE, port), (API, 40000), 1))
    assert not kept(tcp((NODE, 40000), (API, port), 1))
    assert not kept(tcp((API, port), (NODE, 40000), 1))


def test_other_talk_with_the_node_is_kept() -> None:
    assert kept(tcp((API, 40000), (NODE, 30080), 1))
    assert kept(udp((POD, 40000), (NODE, 10250), b""))


def test_a_pods_talk_on_the_same_ports_is_kept() -> None:
    assert kept(tcp((POD, 40000), (API, 6443), 1))
    assert kept(tcp((POD, 40000), (FAR_POD, 10250), 1))


def test_ipv6_is_treated_alike() -> None:
    own = ("fd00::2",)
    assert not kept(tcp(("fd00::1", 40000), ("fd00::2", 10250), 1), own=own)
    assert kept(tcp(("fd00::1", 40000), ("fd00::2", 80), 1), own=own)
    assert kept(tcp(("fd00::1", 40000), ("fd00::3", 10250), 1), own=own)


def test_what_is_no_ip_is_dropped_and_what_has_a_vlan_tag_is_kept() -> None:
    assert not kept(b"\xff" * 12 + b"\x08\x06" + bytes(28))  # ARP
    assert kept(b"\xff" * 12 + b"\x81\x00\x00\x01\x08\x00" + bytes(40))


def test_packets_between_pods_are_dropped_only_on_the_way_between_nodes() -> None:
    frame = tcp((POD, 40000), (FAR_POD, 8080), 1)
    assert not kept(frame, ETH0)
    assert kept(frame, VETH)
    assert kept(tcp((API, 40000), (POD, 8080), 1), ETH0)
    assert kept(tcp((POD, 8080), (API, 40000), 1), ETH0)


def test_later_fragments_are_kept() -> None:
    frame = bytearray(tcp((API, 40000), (NODE, 10250), 1))
    frame[20:22] = (185).to_bytes(2, "big")
    assert kept(bytes(frame))


def test_a_node_with_too_many_addresses_is_an_error() -> None:
    many = [ip_address(f"192.0.2.{number}").packed for number in range(50)]
    with pytest.raises(ValueError, match="cannot jump"):
        bpf.program(many)


def test_many_ranges_are_not_tested_one_by_one() -> None:
    ranges = [(bytes([10, 244, 2 * number, 0]), 24) for number in range(100)]
    program = bpf.program([], outer_links=[ETH0], pod_networks=ranges)
    assert run(program, tcp((POD, 1), (POD, 2), 1), ETH0) > 0
