"""Tenancy: which cluster a part of etcd's keys belongs to, so that no two clusters share one.

A record among the keys says it. Nothing is written under a prefix, or deleted, that belongs to
somebody else.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import orjson

from pilotfish.apiserver.store.etcd import messages
from pilotfish.apiserver.store.etcd.address import EtcdAddress
from pilotfish.apiserver.store.etcd.channel import Channel, UnreachableError
from pilotfish.apiserver.store.etcd.layout import Layout
from pilotfish.apiserver.store.etcd.version import check_version

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pilotfish.objects.meta import Object

_PATIENCE_S: Final = 15.0


class OccupiedError(Exception):
    """Under the prefix are keys of somebody else. key: one of them."""

    def __init__(self, key: str) -> None:
        super().__init__(f"there are keys of somebody else: {key}")
        self.key = key


async def find(address: EtcdAddress) -> Object | None:
    """The record of the cluster that is under the prefix; None where there is nothing.

    Raises:
        OccupiedError: where there is something else.
        EtcdError, StoreFailedError, OSError: when etcd cannot be asked.
    """
    async with _connected(address) as channel:
        return await _read(channel, Layout(address.prefix))


async def owner(address: EtcdAddress) -> str:
    """Who runs the cluster under the prefix now; "" for nobody.

    Raises:
        EtcdError, StoreFailedError, OSError: when etcd cannot be asked.
    """
    async with _connected(address) as channel:
        return await _owner(channel, Layout(address.prefix))


async def claim(address: EtcdAddress, record: Object) -> bool:
    """Write a cluster's record where there is nothing; False when somebody was quicker.

    Raises:
        OccupiedError, EtcdError, StoreFailedError, OSError: as `find`.
    """
    layout = Layout(address.prefix)
    async with _connected(address) as channel:
        if await _read(channel, layout) is not None:
            return False
        request = messages.transaction(
            [messages.unchanged_since(layout.cluster, 0)],
            [messages.putting(layout.cluster, orjson.dumps(record))],
            [],
        )
        return messages.read_outcome(await channel.call(messages.TXN, request)).succeeded


async def remove(address: EtcdAddress, record: Object, owner: str) -> int:
    """Delete all keys of the cluster whose record this is; how many there were.

    Returns 0, and deletes nothing, where there is nothing, another cluster, or another owner.

    Raises:
        OccupiedError, EtcdError, StoreFailedError, OSError: as `find`.
    """
    layout = Layout(address.prefix)
    async with _connected(address) as channel:
        if await _read(channel, layout) != record:
            return 0
        if await _owner(channel, layout) not in ("", owner):
            return 0
        request = messages.delete_request(*layout.everything)
        return messages.read_deleted(await channel.call(messages.DELETE_RANGE, request))


@asynccontextmanager
async def _connected(address: EtcdAddress) -> AsyncIterator[Channel]:
    channel = Channel(address)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await channel.open()
            await check_version(channel)
            yield channel
    except TimeoutError:
        raise UnreachableError("it does not answer", is_sent=True) from None
    finally:
        await channel.close()


async def _owner(channel: Channel, layout: Layout) -> str:
    request = messages.range_request(layout.owner)
    pairs = messages.read_found(await channel.call(messages.RANGE, request)).pairs
    return pairs[0].value.decode(errors="replace") if pairs else ""


async def _read(channel: Channel, layout: Layout) -> Object | None:
    request = messages.range_request(layout.cluster)
    pairs = messages.read_found(await channel.call(messages.RANGE, request)).pairs
    if pairs:
        try:
            record = orjson.loads(pairs[0].value)
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise OccupiedError(layout.cluster.decode())
        return record
    request = messages.range_request(*layout.everything, limit=1, keys_only=True)
    pairs = messages.read_found(await channel.call(messages.RANGE, request)).pairs
    if pairs:
        raise OccupiedError(pairs[0].key.decode(errors="replace"))
    return None
