"""Hands records to a `Writer` in a thread: the event loop never waits for the disk.

Records wait in memory for up to `FLUSH_S`. When the disk is too slow, or nobody writes, they are
dropped rather than piled up.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable

from pilotfish.tap.history.chunks import Record
from pilotfish.tap.history.writer import Writer

FLUSH_S = 0.25
MAX_WAITING_BYTES = 32 << 20
_PRUNE_EVERY_S = 60.0


class Background:
    """Records on their way to the disk. One process writes, others wait for their turn."""

    def __init__(self, writer: Writer, name: str, tell: Callable[[str], None]) -> None:
        """Make one.

        Args:
            writer: writes.
            name: what is recorded, for people.
            tell: is told in one line, by any thread, that the disk refuses.
        """
        self._writer = writer
        self._name = name
        self._tell = tell
        self._waiting: deque[Record] = deque()
        # Each is changed by one side only: by who puts in, and by who holds the lock.
        self._put_bytes = 0
        self._taken_bytes = 0
        self._refused = 0
        self._unwritten = 0
        self._lock = threading.Lock()
        self._pruned_s = 0.0
        self._failing = False
        self._closed = False

    @property
    def recording(self) -> bool:
        """Whether it is this process that writes; else another one does, for now."""
        return self._writer.writing

    @property
    def dropped(self) -> int:
        """Records that were lost: the disk was too slow or full, or they were too large."""
        return self._refused + self._unwritten

    def put(self, time_us: int, data: bytes) -> None:
        """Take a record, in the event loop; it is on its way to the disk, or counted as lost.

        Nothing is done where another process writes this history.
        """
        if not self._writer.writing:
            return
        if self._put_bytes - self._taken_bytes + len(data) > MAX_WAITING_BYTES:
            self._refused += 1
            return
        self._put_bytes += len(data)
        self._waiting.append((time_us, data))

    async def run(self) -> None:
        """Write what comes and delete what is too much, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            await asyncio.to_thread(self._turn)

    def flush(self) -> None:
        """Write what waits, so that it can be read; blocks until that is done."""
        with self._lock:
            records = []
            while self._waiting:
                records.append(self._waiting.popleft())
            if not records:
                return
            try:
                self._unwritten += len(records) - self._writer.append(records)
                self._failing = False
            except OSError as error:
                self._unwritten += len(records)
                self._failed(error)
            self._taken_bytes += sum(len(data) for _, data in records)

    def close(self) -> None:
        """Write what waits, and let other processes write."""
        self.flush()
        with self._lock:
            self._closed = True
            self._writer.close()

    def _turn(self) -> None:
        self.flush()
        now_s = time.monotonic()
        if now_s - self._pruned_s < _PRUNE_EVERY_S and self._writer.writing:
            return
        with self._lock:
            if self._closed:
                return  # the thread outlived whom it worked for
            try:
                if self._writer.try_to_lock():
                    self._writer.prune()
                    self._pruned_s = now_s
            except OSError as error:
                self._failed(error)

    def _failed(self, error: OSError) -> None:
        """A full disk stays full for a while: it is told of once."""
        if not self._failing:
            self._tell(
                f"the history of {self._name} cannot be written ({error.strerror}): "
                "what happens meanwhile will be missing in it"
            )
        self._failing = True
