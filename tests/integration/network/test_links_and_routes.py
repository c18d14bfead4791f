from __future__ import annotations

import errno
import subprocess
from collections.abc import Callable

import pytest

from pilotfish.network import links, routes
from pilotfish.network.netlink import Netlink

Make = Callable[[str], str]


def ip(namespace: str, *arguments: str) -> str:
    command = ["ip", "-n", namespace, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_veth_has_an_end_in_each_namespace(make_namespace: Make) -> None:
    near, far = make_namespace("near"), make_namespace("far")
    with Netlink(near) as nl, Netlink(far) as peer:
        links.create_veth(
            nl,
            "veth0",
            "eth0",
            far,
            mac="02:00:00:00:00:01",
            peer_mac="02:00:00:00:00:02",
            mtu=1400,
        )
        end, other = links.find(nl, "veth0"), links.find(peer, "eth0")
        assert end
        assert other
        assert (end.kind, end.mac, end.mtu, end.up) == ("veth", "02:00:00:00:00:01", 1400, False)
        assert (other.mac, other.mtu) == ("02:00:00:00:00:02", 1400)
        assert links.find(nl, "eth0") is None
        links.set_up(nl, "veth0")
        end = links.find(nl, "veth0")
        assert end
        assert end.up
        assert links.delete_link(nl, "veth0")
        assert links.find(peer, "eth0") is None
        assert not links.delete_link(nl, "veth0")


def test_a_taken_link_name_is_refused(make_namespace: Make) -> None:
    with Netlink(make_namespace("taken")) as nl:
        links.create_bridge(nl, "br0")
        with pytest.raises(FileExistsError):
            links.create_bridge(nl, "br0")
        with pytest.raises(ValueError, match="longer than 15"):
            links.create_bridge(nl, "a-name-of-16-byt")


def test_ports_join_a_bridge(make_namespace: Make) -> None:
    name = make_namespace("bridge")
    with Netlink(name) as nl:
        links.create_bridge(nl, "br0", mac="02:00:00:00:00:09")
        links.create_veth(nl, "one", "two")
        links.set_master(nl, "one", "br0")
        assert "master br0" in ip(name, "link", "show", "one")
        assert links.mac(nl, "br0") == "02:00:00:00:00:09"
        assert {link.name for link in links.all_links(nl)} == {"lo", "br0", "one", "two"}
        with pytest.raises(OSError, match="no link gone") as caught:
            links.set_master(nl, "one", "gone")
        assert caught.value.errno == errno.ENODEV


def test_addresses_are_added_and_listed(make_namespace: Make) -> None:
    name = make_namespace("addresses")
    with Netlink(name) as nl:
        for _ in range(2):
            links.add_address(nl, "lo", "192.168.64.1/24")
            links.add_address(nl, "lo", "fd00::1/64")
        index = links.index(nl, "lo")
        found = links.addresses(nl)
        assert (index, "192.168.64.1/24") in found
        assert (index, "fd00::1/64") in found


def test_routes_are_replaced_listed_and_deleted(make_namespace: Make) -> None:
    name = make_namespace("routes")
    with Netlink(name) as nl:
        links.create_veth(nl, "eth0", "peer")
        links.add_address(nl, "eth0", "192.168.64.1/24")
        links.set_up(nl, "eth0")
        links.set_up(nl, "peer")
        routes.replace(nl, "10.244.0.0/24", via="192.168.64.3")
        routes.replace(nl, "10.244.0.0/24", via="192.168.64.2")
        routes.replace(nl, "10.96.0.0/12", via=["192.168.64.2", "192.168.64.3"], link="eth0")
        routes.replace(nl, "default", via="169.254.1.1", link="eth0", onlink=True)
        routes.replace_unreachable(nl, "10.244.0.0/16", 4_000_000_000)
        routes.replace(nl, "10.9.9.9", link="eth0", source="192.168.64.1")
        found = {route.destination: route for route in routes.all_routes(nl)}
        assert found["10.244.0.0/24"].gateways == ("192.168.64.2",)
        assert found["10.96.0.0/12"].gateways == ("192.168.64.2", "192.168.64.3")
        assert found["0.0.0.0/0"].gateways == ("169.254.1.1",)
        assert found["10.9.9.9/32"].link_index == links.index(nl, "eth0")
        assert found["10.244.0.0/16"].unreachable
        assert found["10.244.0.0/16"].metric == 4_000_000_000
        assert "src 192.168.64.1" in ip(name, "route", "show", "10.9.9.9")
        assert routes.delete(nl, "10.244.0.0/16", metric=4_000_000_000)
        assert not routes.delete(nl, "10.244.0.0/16", metric=4_000_000_000)
        assert routes.delete(nl, "default")


def test_ipv6_routes_work_the_same(make_namespace: Make) -> None:
    with Netlink(make_namespace("v6")) as nl:
        links.create_veth(nl, "eth0", "peer")
        links.set_up(nl, "eth0")
        routes.replace(nl, "fd00:10::/64", link="eth0")
        found = [route.destination for route in routes.all_routes(nl, 10)]
        assert "fd00:10::/64" in found
        assert routes.delete(nl, "fd00:10::/64")


def test_a_gateway_that_is_nowhere_is_refused(make_namespace: Make) -> None:
    with Netlink(make_namespace("nowhere")) as nl:
        with pytest.raises(OSError, match="route to default") as caught:
            routes.replace(nl, "default", via="192.168.64.1")
        assert caught.value.errno == errno.ENETUNREACH


def test_neighbours_are_permanent(make_namespace: Make) -> None:
    name = make_namespace("neighbours")
    with Netlink(name) as nl:
        links.create_veth(nl, "eth0", "peer")
        links.set_up(nl, "eth0")
        routes.set_neighbour(nl, "169.254.1.1", "eth0", "ee:ee:ee:ee:ee:ee")
        assert "169.254.1.1 lladdr ee:ee:ee:ee:ee:ee PERMANENT" in ip(
            name, "neigh", "show", "dev", "eth0"
        )


def test_the_unreachable_rule_comes_once_and_goes(make_namespace: Make) -> None:
    name = make_namespace("rules")
    with Netlink(name) as nl:
        routes.add_unreachable_rule(nl, "lo", 30064)
        routes.add_unreachable_rule(nl, "lo", 30064)
        assert ip(name, "rule").count("iif lo unreachable") == 1
        assert routes.delete_unreachable_rule(nl, "lo", 30064)
        assert not routes.delete_unreachable_rule(nl, "lo", 30064)
