"""Hand-made Endpoints: which are copied into EndpointSlices, and how."""

from __future__ import annotations

import pytest

from pilotfish.controllers.endpointslice_mirroring import is_mirrored, mirrored
from pilotfish.objects.meta import Object
from support.workloads import make_service, metadata

WITHOUT_SELECTOR = make_service("db", spec={"selector": None})


def endpoints(**fields: Object) -> Object:
    subset = {
        "addresses": [{"ip": "192.0.2.1", "hostname": "a"}, {"ip": "fd00::1"}],
        "notReadyAddresses": [{"ip": "192.0.2.2"}],
        "ports": [{"name": "sql", "port": 5432, "protocol": "TCP"}],
    }
    return {"metadata": metadata("db", **fields), "subsets": [subset]}


def test_addresses_keep_their_readiness_and_names() -> None:
    assert mirrored(endpoints(), "IPv4") == {
        (("sql", "TCP", 5432, None),): {
            "192.0.2.1": {
                "addresses": ["192.0.2.1"],
                "conditions": {"ready": True},
                "hostname": "a",
            },
            "192.0.2.2": {"addresses": ["192.0.2.2"], "conditions": {"ready": False}},
        }
    }


def test_families_are_mirrored_apart() -> None:
    (group,) = mirrored(endpoints(), "IPv6").values()
    assert list(group) == ["fd00::1"]


def test_endpoints_of_a_service_without_a_selector_are_mirrored() -> None:
    assert is_mirrored(endpoints(), WITHOUT_SELECTOR)


@pytest.mark.parametrize(
    ("fields", "service"),
    [
        ({}, None),
        ({}, make_service("db")),
        ({"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}, WITHOUT_SELECTOR),
        (
            {"annotations": {"control-plane.alpha.kubernetes.io/leader": "x"}},
            WITHOUT_SELECTOR,
        ),
    ],
    ids=["no service", "has a selector", "says so", "a leader's lock"],
)
def test_other_endpoints_are_not(fields: Object, service: Object | None) -> None:
    assert not is_mirrored(endpoints(**fields), service)
