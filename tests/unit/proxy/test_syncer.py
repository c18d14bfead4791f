"""The shell around one family's tables: a refused change leads to all of it written anew."""

from __future__ import annotations

import errno

from pilotfish.proxy.family import IPV4
from pilotfish.proxy.fronts import Balance, Endpoint, Front, Wanted
from pilotfish.proxy.nfnetlink import NetfilterError
from pilotfish.proxy.syncer import FamilySyncer
from pilotfish.proxy.tables import Change
from support.fake_tables import FakeTables

WEB = Front("10.96.0.1", "tcp", 80)
A, B = Endpoint("10.244.0.1", 8080), Endpoint("10.244.0.2", 8080)


class MeddledTables(FakeTables):
    """Somebody else deletes an element behind the proxy's back."""

    def apply(self, change: Change) -> None:
        self.elements["endpoints"].pop(("10.96.0.1", "tcp", 80, 0), None)
        super().apply(change)


class FullTables(FakeTables):
    """A kernel without memory for a while."""

    failures = 1

    def replace(self, everything: Change) -> None:
        if self.failures:
            self.failures -= 1
            raise NetfilterError(errno.ENOMEM)
        super().replace(everything)


async def test_the_first_write_replaces_whatever_is_there() -> None:
    kernel = FakeTables()
    kernel.elements["services"][("10.96.9.9", "tcp", 80)] = "drop"
    await FamilySyncer(IPV4, kernel).sync({"web": Wanted({WEB: Balance((A,))})}, ("10.244.0.0/24",))
    assert set(kernel.elements["services"]) == {("10.96.0.1", "tcp", 80)}
    assert kernel.intervals["own-addresses"] == ("10.244.0.0/24",)


async def test_tables_are_written_even_when_there_is_no_service() -> None:
    kernel = FakeTables()
    await FamilySyncer(IPV4, kernel).sync({})
    assert kernel.transactions == 1


async def test_a_change_that_the_kernel_refuses_is_mended_by_writing_everything() -> None:
    kernel = MeddledTables()
    proxy = FamilySyncer(IPV4, kernel)
    await proxy.sync({"web": Wanted({WEB: Balance((A,))})})
    await proxy.sync({"web": Wanted({WEB: Balance((B,))})})
    assert kernel.elements["endpoints"] == {("10.96.0.1", "tcp", 80, 0): B}


async def test_after_a_failed_write_the_next_one_writes_everything() -> None:
    kernel = FullTables()
    proxy = FamilySyncer(IPV4, kernel)
    try:
        await proxy.sync({"web": Wanted({WEB: Balance((A,))})})
    except NetfilterError as error:
        assert error.errno == errno.ENOMEM
    await proxy.sync({})
    assert kernel.elements["endpoints"] == {("10.96.0.1", "tcp", 80, 0): A}


async def test_a_sync_that_changes_nothing_writes_nothing() -> None:
    kernel = FakeTables()
    proxy = FamilySyncer(IPV4, kernel)
    await proxy.sync({"web": Wanted({WEB: Balance((A,))})})
    await proxy.sync({"web": Wanted({WEB: Balance((A,))})})
    assert kernel.transactions == 1
