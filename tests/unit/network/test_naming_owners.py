"""To which cluster a namespace belongs, by its name."""

from __future__ import annotations

import pytest

from pilotfish.network import naming


@pytest.mark.parametrize(
    ("namespace", "cluster"),
    [
        ("pf-default-wires", "default"),
        ("pf-a-b-node-12", "a-b"),
        ("pf-a-0123456789ab", "a"),
        ("pf-a-node-x", None),
        ("cni-1234", None),
        ("pf-wires", None),
    ],
)
def test_a_namespace_says_whose_it_is(namespace: str, cluster: str | None) -> None:
    assert naming.cluster_of(namespace) == cluster
    if cluster is not None:
        assert naming.belongs_to(cluster, namespace)
