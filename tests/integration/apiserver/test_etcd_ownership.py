"""What may run only once of a cluster, where several machines could."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish.apiserver.store.etcd import tenancy
from pilotfish.apiserver.store.etcd.address import parse_address
from pilotfish.apiserver.store.etcd.ownership import Ownership
from support.etcd import Etcd


@pytest.fixture
def etcd(tmp_path: Path) -> Iterator[Etcd]:
    with Etcd(tmp_path / "etcd") as etcd:
        yield etcd


class Work:
    """Something that may run once only; counts how often it was begun."""

    def __init__(self, etcd: Etcd, name: str) -> None:
        self.begun = 0
        self.running = asyncio.Event()
        self._ownership = Ownership(parse_address(etcd.address()), name)
        self.task = asyncio.create_task(self._ownership.while_held(self._work))

    async def _work(self) -> None:
        self.begun += 1
        self.running.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.running.clear()

    async def begins(self) -> None:
        async with asyncio.timeout(40):
            await self.running.wait()

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def test_the_second_waits_until_the_first_is_gone(etcd: Etcd) -> None:
    first = Work(etcd, "one")
    await first.begins()
    second = Work(etcd, "two")
    await asyncio.sleep(1)
    assert not second.running.is_set()
    assert await tenancy.owner(parse_address(etcd.address())) == "one"
    await first.end()
    await second.begins()
    assert await tenancy.owner(parse_address(etcd.address())) == "two"
    await second.end()


async def test_who_comes_back_under_its_name_goes_on_at_once(etcd: Etcd) -> None:
    first = Work(etcd, "one")
    await first.begins()
    await first.end()
    again = Work(etcd, "one")
    async with asyncio.timeout(3):
        await again.running.wait()
    await again.end()


async def test_who_lost_it_stops_and_goes_on_when_it_is_back(etcd: Etcd) -> None:
    work = Work(etcd, "one")
    await work.begins()
    etcd.ctl("put", "/registry/_owner", "usurper")
    for lease in etcd.ctl("lease", "list").split()[3:]:
        etcd.ctl("lease", "revoke", lease)
    async with asyncio.timeout(20):
        while work.running.is_set():  # noqa: ASYNC110 - nobody tells of an end
            await asyncio.sleep(0.1)
    etcd.ctl("del", "/registry/_owner")
    await work.begins()
    assert work.begun == 2
    await work.end()


async def test_a_short_death_of_etcd_is_no_loss(etcd: Etcd) -> None:
    work = Work(etcd, "one")
    await work.begins()
    await asyncio.to_thread(etcd.kill)
    await asyncio.sleep(1)
    await asyncio.to_thread(etcd.start)
    await asyncio.sleep(5)
    assert work.begun == 1
    assert work.running.is_set()
    await work.end()


async def test_work_that_fails_is_told(etcd: Etcd) -> None:
    async def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await Ownership(parse_address(etcd.address()), "one").while_held(fail)
