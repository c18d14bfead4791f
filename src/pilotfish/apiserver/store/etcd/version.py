"""The version of etcd that is needed."""

from __future__ import annotations

from typing import Final

from pilotfish.apiserver.store.etcd import messages
from pilotfish.apiserver.store.etcd.channel import Channel
from pilotfish.apiserver.store.interface import StoreFailedError

_OLDEST: Final = (3, 4)


async def check_version(channel: Channel) -> None:
    """See that an etcd answers that is new enough.

    Raises:
        StoreFailedError: when not.
        EtcdError: when it refuses to say.
    """
    version = messages.read_version(await channel.call(messages.STATUS, b""))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        raise StoreFailedError(f"it is etcd {version or 'of no version'}; {oldest} is needed")
