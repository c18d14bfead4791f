"""Ownership: what may run only once of a cluster runs where a lease is held.

The holder's key in etcd is bound to a lease that he renews; when he stops, by whatever death, etcd
removes it after a while, and another may take it. Who comes back under the same name takes it at
once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from pilotfish.apiserver.store.etcd import messages
from pilotfish.apiserver.store.etcd.channel import Channel, EtcdError
from pilotfish.apiserver.store.etcd.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pilotfish.apiserver.store.etcd.address import EtcdAddress

log = logging.getLogger(__name__)

LEASE_S: Final = 10
_RENEW_S: Final = 3.0


class Ownership:
    """One who wants to be the owner."""

    def __init__(self, address: EtcdAddress, name: str) -> None:
        """name: who it is, for others to read; the same after a restart, nobody else's."""
        self._channel = Channel(address)
        self._key = Layout(address.prefix).owner
        self._name = name.encode()

    async def while_held(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do the work as long as the ownership is held, and again when it was lost and is back.

        Ends when the work ends, and raises what it raises.

        Raises:
            EtcdError, OSError: when etcd cannot be reached at the start.
        """
        await self._channel.open()
        try:
            while True:
                lease = await self._take()
                doing = asyncio.create_task(work(), name="owner's work")
                try:
                    await self._keep(lease, doing)
                    if doing.done():
                        await doing
                        return
                finally:
                    doing.cancel()
                    await asyncio.gather(doing, return_exceptions=True)
                log.warning("the ownership of the cluster is lost: its controllers have stopped")
        finally:
            await self._channel.close()

    async def _take(self) -> int:
        """Wait until the ownership can be had; the lease under which it is held."""
        told = b""
        while True:
            try:
                lease = messages.read_lease(
                    await self._channel.call(messages.LEASE_GRANT, messages.lease_request(LEASE_S))
                )
                owner = await self._put(0, lease)
                if owner is not None and owner.value == self._name:
                    owner = await self._put(owner.revision, lease)
            except EtcdError as error:
                log.warning("the ownership of the cluster cannot be asked for: %s", error)
                await asyncio.sleep(_RENEW_S)
                continue
            if owner is None:
                return lease
            if owner.value != told:
                told = owner.value
                log.warning("the cluster is run by %s; its controllers wait here", told.decode())
            await asyncio.sleep(_RENEW_S)

    async def _put(self, revision: int, lease: int) -> messages.KeyValue | None:
        """Write the key if it is of that revision; None if that was done, else what it is."""
        request = messages.transaction(
            [messages.unchanged_since(self._key, revision)],
            [messages.putting(self._key, self._name, lease)],
            [messages.ranging(messages.range_request(self._key))],
        )
        outcome = messages.read_outcome(await self._channel.call(messages.TXN, request))
        if outcome.succeeded:
            return None
        pairs = outcome.found[0].pairs
        return pairs[0] if pairs else messages.KeyValue(self._key, 0, 0, b"")

    async def _keep(self, lease: int, doing: asyncio.Task[None]) -> None:
        """Renew the lease until it cannot be, or the work is done."""
        renewed_at = time.monotonic()
        while time.monotonic() - renewed_at < LEASE_S:
            await asyncio.wait([doing], timeout=_RENEW_S)
            if doing.done():
                return
            asked_at = time.monotonic()
            try:
                async with asyncio.timeout(_RENEW_S):
                    answer = await self._channel.call(
                        messages.LEASE_KEEP_ALIVE, messages.keep_alive_request(lease)
                    )
            except (EtcdError, TimeoutError):
                continue
            if not messages.read_time_left(answer):
                return
            renewed_at = asked_at
