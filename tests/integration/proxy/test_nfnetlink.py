"""The socket to netfilter: refusals are told, and do not disturb what comes after."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from pilotfish.network import namespaces
from pilotfish.network.message import NLM_F_CREATE, attribute
from pilotfish.proxy.family import IPV4
from pilotfish.proxy.fronts import Endpoint
from pilotfish.proxy.kernel import KernelTables
from pilotfish.proxy.nfnetlink import NetfilterError, NetfilterSocket, Request
from pilotfish.proxy.tables import Change

NAMESPACE = "pf-test-nfnetlink"
_NEWTABLE, _DELTABLE = 0, 2


@pytest.fixture
def netfilter() -> Iterator[NetfilterSocket]:
    namespaces.delete(NAMESPACE)
    namespaces.create(NAMESPACE)
    with namespaces.inside(NAMESPACE):
        opened = NetfilterSocket()
    yield opened
    opened.close()
    namespaces.delete(NAMESPACE)


def make(name: str) -> Request:
    return Request(_NEWTABLE, NLM_F_CREATE, attribute(1, name))


def delete(name: str) -> Request:
    return Request(_DELTABLE, 0, attribute(1, name))


def test_a_refused_request_is_named_and_nothing_of_the_transaction_happens(
    netfilter: NetfilterSocket,
) -> None:
    with pytest.raises(NetfilterError) as refused:
        netfilter.transact(IPV4.number, [make("one"), delete("two"), make("three")])
    assert refused.value.errno == errno.ENOENT
    assert refused.value.index == 1
    with pytest.raises(NetfilterError):
        netfilter.transact(IPV4.number, [delete("one")])


def test_after_a_refusal_the_next_transaction_is_not_confused(netfilter: NetfilterSocket) -> None:
    for _ in range(3):
        with pytest.raises(NetfilterError):
            netfilter.transact(IPV4.number, [delete("a"), delete("b"), delete("c")])
        netfilter.transact(IPV4.number, [make("a")])
        netfilter.transact(IPV4.number, [delete("a")])


def test_more_refusals_than_fit_the_buffer_still_fail_and_leave_the_socket_usable(
    netfilter: NetfilterSocket,
) -> None:
    with pytest.raises(OSError):
        netfilter.transact(IPV4.number, [delete(f"t{n}") for n in range(100_000)])
    netfilter.transact(IPV4.number, [make("a")])


def test_a_map_that_takes_many_datagrams_is_read_whole(netfilter: NetfilterSocket) -> None:
    kernel = KernelTables(netfilter, IPV4)
    elements = [
        (("10.96.0.1", "tcp", 80, slot), Endpoint("10.244.0.1", 80)) for slot in range(9000)
    ]
    kernel.replace(Change(added={"endpoints": elements}))  # type: ignore[dict-item]
    assert dict(kernel.read("endpoints")) == dict(elements)


def test_a_table_that_is_not_there_reads_as_empty(netfilter: NetfilterSocket) -> None:
    kernel = KernelTables(netfilter, IPV4)
    assert list(kernel.read("endpoints")) == []
    kernel.remove()
