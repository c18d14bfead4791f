"""A node's interfaces are told apart by what they lead to."""

from __future__ import annotations

from pilotfish.network.links import Link
from pilotfish.tap.interfaces import classify


def link(index: int, name: str, kind: str) -> Link:
    return Link(index, name, mac="", mtu=1500, up=True, kind=kind)


def test_a_veth_leads_to_a_pod_unless_a_gateway_is_behind_it() -> None:
    found = classify(
        [link(1, "lo", ""), link(2, "eth0", "veth"), link(3, "veth01234567", "veth")],
        gateway_links=[2],
        addresses=["127.0.0.1/8", "192.168.64.2/24", "fd00::1/64"],
    )
    assert found.pod_links == {3}
    assert found.outer_links == {2}
    assert found.names == {1: "lo", 2: "eth0", 3: "veth01234567"}
    assert bytes([192, 168, 64, 2]) in found.addresses
    assert len(found.addresses) == 3


def test_hardware_and_tunnels_lead_outside_and_bridges_nowhere() -> None:
    found = classify(
        [
            link(2, "ens3", ""),
            link(3, "cni0", "bridge"),
            link(4, "vetha", "veth"),
            link(5, "flannel.1", "vxlan"),
            link(6, "kube-ipvs0", "dummy"),
        ],
        gateway_links=[2],
        addresses=[],
    )
    assert (found.outer_links, found.pod_links) == ({2, 5}, {4})
