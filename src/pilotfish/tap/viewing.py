"""A viewer's part of a capture: what it wants to see, and what waits to be sent to it.

A viewer that reads slowly loses entries, never the capture: what finds its queue full is
counted, and the next status line says how many.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import orjson

from pilotfish.tap.entry import Entry
from pilotfish.tap.files import pcapng_blocks
from pilotfish.tap.ring import CapturedFrame
from pilotfish.tap.selection import name_pattern

MAX_QUEUED_BYTES = 16 << 20
# As much as is sent at once.
_BATCH_BYTES = 1 << 18


class Outbox:
    """Bytes on their way to one viewer.

    Attributes:
        dropped: pieces that found it full.
        queued_bytes: how much waits.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._pieces: deque[bytes] = deque()
        self.queued_bytes = 0
        self._filled = asyncio.Event()

    def put(self, piece: bytes, vital: bool = False) -> None:
        """Queue a piece, or drop it; a vital one is small and never dropped."""
        if self.queued_bytes + len(piece) > MAX_QUEUED_BYTES and not vital:
            self.dropped += 1
            return
        self._pieces.append(piece)
        self.queued_bytes += len(piece)
        self._filled.set()

    async def batches(self) -> AsyncIterator[bytes]:
        """What was put in, in larger portions, without an end."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._pieces:
                batch = self._take()
                yield batch

    def _take(self) -> bytes:
        taken, size = [], 0
        while self._pieces and size < _BATCH_BYTES:
            piece = self._pieces.popleft()
            taken.append(piece)
            size += len(piece)
        self.queued_bytes -= size
        return b"".join(taken)


class EntryViewer:
    """Sees entries that its filter lets through, one JSON object a line.

    Attributes:
        outbox: what waits to be sent.
        redact: whether secrets are kept from it.
    """

    def __init__(self, matches: Callable[[Entry], bool], probes: bool, redact: bool) -> None:
        """probes: whether it wants to see the kubelet's probes."""
        self.outbox = Outbox()
        self.redact = redact
        self._matches = matches
        self._probes = probes

    def wants(self, entry: Entry) -> bool:
        """Whether this viewer is to see an entry, which may be a lazy one."""
        return (self._probes or not entry["probe"]) and self._matches(entry)

    def tell(self, line: dict[str, Any]) -> None:
        """Send a line that is no entry."""
        self.outbox.put(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


class PacketViewer:
    """Sees the packets of some Pods and Services, as a pcapng file.

    Attributes:
        outbox: what waits to be sent.
        namespace: of the Pods and Services; "" for all.
    """

    def __init__(self, namespace: str = "", names: Sequence[str] = ()) -> None:
        """Make one.

        Args:
            namespace: of the Pods and Services; "" for all.
            names: theirs, as `selection.selection` takes them; none for all.

        Raises:
            RegexError: one of them is no name and no regular expression.
        """
        self.outbox = Outbox()
        self.namespace = namespace
        self._named: Callable[[str], bool] | None = None
        if names:
            # RE2 is for those who name something only.
            from pilotfish.cel.regex import searcher

            self._named = searcher(name_pattern(names))
        self._interfaces: dict[int, int] = {}
        self.outbox.put(pcapng_blocks.section_header())

    def wants(self, party: dict[str, Any]) -> bool:
        """Whether packets from or to this party (see `Identity.server`) are to be seen."""
        thing = party.get("pod") or party.get("service")
        if thing is None:
            return not self.namespace and self._named is None
        return (not self.namespace or thing["namespace"] == self.namespace) and (
            self._named is None or self._named(thing["name"])
        )

    def offer(self, frame: CapturedFrame, interface_name: str) -> None:
        """Send a packet."""
        number = self._interfaces.get(frame.interface)
        if number is None:
            number = self._interfaces[frame.interface] = len(self._interfaces)
            self.outbox.put(pcapng_blocks.interface_description(interface_name), vital=True)
        self.outbox.put(pcapng_blocks.packet(number, frame.time_s, frame.data, frame.length))
