"""Compaction: etcd keeps every version of every key until somebody says that it may forget.

As kube-apiserver does: every five minutes, back to what was newest five minutes before, and by one
of the servers only. Who finds the key as he left it writes it and compacts; the others see that it
was written, and take its new state for the next time.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final, NamedTuple

from pilotfish.apiserver.store.etcd import messages
from pilotfish.apiserver.store.etcd.channel import Channel, EtcdError

log = logging.getLogger(__name__)

PERIOD_S: Final = 300.0
# gRPC's OUT_OF_RANGE: it was compacted further already.
_OUT_OF_RANGE: Final = 11


class Turn(NamedTuple):
    """What a server remembers from one time to the next.

    Attributes:
        version: how often the key had been written.
        revision: etcd's revision then.
    """

    version: int
    revision: int


async def compact(channel: Channel, key: bytes, period_s: float = PERIOD_S) -> None:
    """Have etcd forget what is older than one to two periods, until cancelled."""
    turn = Turn(-1, 0)
    while True:
        try:
            turn = await compact_once(channel, key, turn)
        except EtcdError as error:
            log.warning("etcd's history could not be compacted: %s", error)
        await asyncio.sleep(period_s)


async def compact_once(channel: Channel, key: bytes, last: Turn) -> Turn:
    """Compact to the revision of the last time, unless another server has done so since.

    Raises:
        EtcdError: when etcd does not do it.
    """
    request = messages.transaction(
        [messages.is_version(key, last.version)] if last.version >= 0 else [_NEVER],
        [messages.putting(key, b"")],
        [messages.ranging(messages.range_request(key))],
    )
    outcome = messages.read_outcome(await channel.call(messages.TXN, request))
    if not outcome.succeeded:
        pairs = outcome.found[0].pairs
        return Turn(pairs[0].version if pairs else 0, outcome.revision)
    try:
        await channel.call(messages.COMPACT, messages.compaction_request(last.revision))
        log.info("etcd's history before revision %d is compacted", last.revision)
    except EtcdError as error:
        if error.code != _OUT_OF_RANGE:
            raise
    return Turn(last.version + 1, outcome.revision)


# No key has that version: the first time, a server only looks.
_NEVER: Final = messages.is_version(b"\0", 1 << 62)
