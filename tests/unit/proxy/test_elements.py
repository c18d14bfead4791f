"""Elements survive the way to bytes and back, in both families."""

from __future__ import annotations

import pytest

from pilotfish.network.message import attributes
from pilotfish.proxy.elements import Codec, each_element, lists
from pilotfish.proxy.family import IPV4, IPV6, Family
from pilotfish.proxy.fronts import Choose, Endpoint, Key, Remember, Value

FOUR, SIX = "10.96.0.1", "fd00:96::1"


def there_and_back(family: Family, name: str, key: Key, value: Value) -> tuple[Key, Value | str]:
    codec = Codec(family)
    (listed,) = lists(codec.pack(name, [(key, value)]))
    (element,) = each_element(listed[4:])
    return codec.unpack(name, element)


@pytest.mark.parametrize(("family", "address"), [(IPV4, FOUR), (IPV6, SIX)])
def test_elements_of_every_map_come_back(family: Family, address: str) -> None:
    front = (address, "udp", 53)
    endpoint = Endpoint(address, 8080)
    for name, key, value, back in (
        ("services", front, Choose(3), "lb-3"),
        ("refused", front, "refuse", "refuse"),
        ("external-refused", front, "drop", "drop"),
        ("sticky", front, Remember(60), "remember-60"),
        ("endpoints", (*front, 7), endpoint, endpoint),
        ("affinity", (address, *front), endpoint, endpoint),
        ("hairpins", (address, address), None, None),
        ("source-limited", front, None, None),
        ("allowed-sources", (*front, f"{address}/32"), None, None),
    ):
        got, value_got = there_and_back(family, name, key, value)
        if name == "allowed-sources" and family is IPV6:
            assert got == (*front, "fd00:96::/32")
        else:
            assert got == key
        assert value_got == back


def test_a_key_alone_deletes() -> None:
    assert there_and_back(IPV4, "endpoints", (FOUR, "tcp", 80, 2), None) == (
        (FOUR, "tcp", 80, 2),
        None,
    )


def test_many_elements_are_split_so_that_lengths_fit_16_bits() -> None:
    items = [((FOUR, "tcp", 80, slot), Endpoint(FOUR, 80)) for slot in range(5000)]
    parts = list(lists(Codec(IPV4).pack("endpoints", items)))
    assert len(parts) > 1
    assert all(len(part) < 65_536 for part in parts)
    assert sum(1 for part in parts for _ in each_element(part[4:])) == 5000


def test_a_range_is_its_first_address_and_the_one_after_its_last() -> None:
    first, after = (next(each_element(e)) for e in Codec(IPV4).pack_interval(["10.96.0.0/12"]))
    assert attributes(attributes(first)[1])[1] == bytes([10, 96, 0, 0])
    assert attributes(attributes(after)[1])[1] == bytes([10, 112, 0, 0])


def test_a_range_up_to_the_last_address_stays_open() -> None:
    assert len(list(Codec(IPV4).pack_interval(["0.0.0.0/0"]))) == 1
