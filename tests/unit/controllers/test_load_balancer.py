"""LoadBalancer addresses: who gets which, and why not."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.controllers.load_balancer import (
    NoAddress,
    choose_address,
    pools_of,
    wants_address,
)
from pilotfish.objects.meta import Object
from support.workloads import make_service

POOL = ("192.168.64.200", "192.168.64.202")


def service(address: str = "", **spec: Any) -> Object:
    result = make_service(spec={"type": "LoadBalancer", **spec})
    if address:
        result["status"] = {"loadBalancer": {"ingress": [{"ip": address}]}}
    return result


def test_the_first_free_address_is_given() -> None:
    assert choose_address(service(), POOL, {}) == "192.168.64.200"
    taken = {"192.168.64.200": "default/a", "192.168.64.201": "default/b"}
    assert choose_address(service(), POOL, taken) == "192.168.64.202"


def test_each_family_of_the_service_has_its_pool_in_the_services_order() -> None:
    sixth = ("fd00::c8", "fd00::fa")
    assert pools_of(service(ipFamilies=["IPv6", "IPv4"]), [POOL, sixth]) == [sixth, POOL]
    assert pools_of(service(ipFamilies=["IPv4"]), [POOL, sixth]) == [POOL]
    both = service(ipFamilies=["IPv4", "IPv6"], loadBalancerIP="192.168.64.201")
    assert choose_address(both, POOL, {}) == "192.168.64.201"
    assert choose_address(both, sixth, {}) == "fd00::c8"


def test_an_address_that_was_given_stays() -> None:
    taken = {"192.168.64.202": "default/web"}
    assert choose_address(service("192.168.64.202"), POOL, taken) == "192.168.64.202"


def test_an_address_of_another_pool_is_exchanged() -> None:
    old = service("10.9.9.9")
    assert choose_address(old, POOL, {"10.9.9.9": "default/web"}) == "192.168.64.200"


def test_a_wanted_address_is_honoured() -> None:
    assert choose_address(service(loadBalancerIP="192.168.64.201"), POOL, {}) == "192.168.64.201"


@pytest.mark.parametrize("wanted", ["10.0.0.1", "192.168.64.203", "fd00::1", "nonsense"])
def test_a_wanted_address_outside_the_pool_is_refused_with_the_pool(wanted: str) -> None:
    with pytest.raises(NoAddress, match=r"not in the pool 192\.168\.64\.200-192\.168\.64\.202"):
        choose_address(service(loadBalancerIP=wanted), POOL, {})


def test_a_wanted_address_that_is_taken_is_refused_with_its_holder() -> None:
    taken = {"192.168.64.201": "shop/db"}
    with pytest.raises(NoAddress, match="taken by Service shop/db"):
        choose_address(service(loadBalancerIP="192.168.64.201"), POOL, taken)


def test_an_empty_pool_says_what_would_help() -> None:
    taken = {f"192.168.64.20{n}": f"default/s{n}" for n in range(3)}
    with pytest.raises(NoAddress, match="delete a Service of type LoadBalancer"):
        choose_address(service(), POOL, taken)


def test_other_types_and_classes_are_left_alone() -> None:
    assert wants_address(service())
    assert not wants_address(make_service())
    assert not wants_address(service(loadBalancerClass="example.com/other"))
