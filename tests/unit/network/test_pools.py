from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from pilotfish.network.pools import (
    Occupied,
    OccupiedSubnet,
    choose,
    occupied_by,
    require_free,
    service_ranges,
)


def test_an_empty_machine_gives_the_default_ranges() -> None:
    ranges = choose([])
    assert str(ranges.nodes) == "192.168.64.0/24"
    assert str(ranges.pods) == "10.244.0.0/16"
    assert str(ranges.services) == "10.96.0.0/12"


def test_a_second_cluster_takes_the_next_of_each() -> None:
    first = choose([])
    taken = [Occupied(one, "x") for one in (first.nodes, first.pods, first.services)]
    second = choose(taken)
    assert str(second.nodes) == "192.168.65.0/24"
    assert str(second.pods) == "10.245.0.0/16"
    assert str(second.services) == "10.112.0.0/12"


def test_a_route_to_a_part_of_a_range_occupies_the_range() -> None:
    occupied = occupied_by({2: "vpn0"}, [], [(2, "10.100.1.0/24"), (2, "192.168.64.0/18")])
    assert str(choose(occupied[:1]).services) == "10.112.0.0/12"
    with pytest.raises(OccupiedSubnet, match=r"nodes.*interface vpn0 \(route 192.168.64.0/18\)"):
        choose(occupied)


def test_default_routes_occupy_nothing() -> None:
    assert occupied_by({2: "eth0"}, [], [(2, "0.0.0.0/0"), (2, "::/0")]) == []


def test_the_families_do_not_stand_in_each_others_way() -> None:
    occupied = occupied_by({2: "eth0"}, [(2, "192.168.64.9/24")], [(2, "fd00:10:96::/64")])
    assert str(choose(occupied).nodes) == "192.168.65.0/24"
    sixth = choose(occupied, 6)
    assert (str(sixth.nodes), str(sixth.pods), str(sixth.services)) == (
        "fd00:192:168:64::/64",
        "fd00:10:244::/56",
        "fd00:10:97::/112",
    )


def test_the_machines_name_server_is_not_built_over() -> None:
    occupied = occupied_by({}, [], [], ["10.244.255.53"])
    assert str(choose(occupied).pods) == "10.245.0.0/16"


def test_when_no_large_service_range_is_left_a_small_one_is_taken() -> None:
    large = [one for one in service_ranges() if one.prefixlen == 12]
    occupied = [Occupied(IPv4Network((one.network_address, 32)), "x") for one in large]
    assert str(choose(occupied).services) == "10.97.0.0/16"


def test_an_occupied_subnet_is_refused_with_its_holder() -> None:
    occupied = occupied_by({3: "docker0"}, [(3, "192.168.64.1/20")], [])
    with pytest.raises(OccupiedSubnet, match=r"192.168.70.0/24 is occupied by interface docker0"):
        require_free(IPv4Network("192.168.70.0/24"), occupied)
    require_free(IPv4Network("192.168.80.0/24"), occupied)
