from __future__ import annotations

from pilotfish.network import naming

UID = "01234567-89ab-cdef-0123-456789abcdef"


def test_names_tell_cluster_and_node_or_pod() -> None:
    assert naming.node_namespace("default", "node-1") == "pf-default-node-1"
    assert naming.pod_namespace("default", UID) == "pf-default-0123456789ab"
    assert naming.pod_link(UID) == "veth01234567"
    assert naming.host_link("default") == "pf-default"


def test_long_names_fit_a_link_and_stay_different() -> None:
    names = {naming.host_link(f"my-very-long-cluster-{n}") for n in range(20)}
    assert len(names) == 20
    assert max(map(len, names)) <= 15


def test_a_cluster_does_not_own_what_belongs_to_one_whose_name_begins_alike() -> None:
    assert naming.belongs_to("a", "pf-a-node-1")
    assert naming.belongs_to("a", naming.wires_namespace("a"))
    assert naming.belongs_to("a", "pf-a-0123456789ab")
    assert not naming.belongs_to("a", "pf-a-b-node-1")
    assert not naming.belongs_to("a", "pf-a-node-1-node-1")
    assert not naming.belongs_to("a", "pf-a-b-0123456789ab")
    assert not naming.belongs_to("a", "somebody-elses")
