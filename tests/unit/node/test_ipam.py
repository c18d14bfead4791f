"""Addresses of a node's Pods."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotfish.node.ipam import AddressPool, PoolExhausted


def test_a_pod_keeps_its_address_and_others_get_others(tmp_path: Path) -> None:
    pool = AddressPool(tmp_path / "ipam.json", "10.244.1.0/24")
    assert pool.own_address == "10.244.1.1"
    assert [pool.allocate(uid) for uid in ("a", "b", "a")] == [
        "10.244.1.2",
        "10.244.1.3",
        "10.244.1.2",
    ]


def test_addresses_survive_a_restart(tmp_path: Path) -> None:
    AddressPool(tmp_path / "ipam.json", "10.244.1.0/24").allocate("a")
    again = AddressPool(tmp_path / "ipam.json", "10.244.1.0/24")
    assert again.allocate("b") == "10.244.1.3"
    assert again.allocate("a") == "10.244.1.2"


def test_a_freed_address_is_not_reused_at_once(tmp_path: Path) -> None:
    pool = AddressPool(tmp_path / "ipam.json", "10.244.1.0/29")
    pool.allocate("a")
    pool.release("a")
    assert pool.allocate("b") == "10.244.1.3"


def test_a_full_range_says_so_and_goes_around_when_one_is_freed(tmp_path: Path) -> None:
    pool = AddressPool(tmp_path / "ipam.json", "10.244.1.0/29")
    for uid in "abcde":
        pool.allocate(uid)
    with pytest.raises(PoolExhausted, match="5 Pods have one"):
        pool.allocate("f")
    pool.release("c")
    assert pool.allocate("f") == "10.244.1.4"


def test_addresses_of_another_range_are_forgotten(tmp_path: Path) -> None:
    AddressPool(tmp_path / "ipam.json", "10.244.1.0/24").allocate("a")
    moved = AddressPool(tmp_path / "ipam.json", "10.250.0.0/24")
    assert moved.allocate("a") == "10.250.0.2"


def test_ipv6_addresses_begin_after_the_nodes_own(tmp_path: Path) -> None:
    pool = AddressPool(tmp_path / "ipam.json", "fd00:10:244:1::/64")
    assert pool.own_address == "fd00:10:244:1::1"
    assert [pool.allocate("a"), pool.allocate("b")] == ["fd00:10:244:1::2", "fd00:10:244:1::3"]
