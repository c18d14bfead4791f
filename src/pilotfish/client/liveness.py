"""Notice an event loop that does not turn, from another process, and without false alarms.

The watched process beats: while its loop turns, it counts up a number in a file once a second
(`heartbeat`). The watcher looks at the number every two seconds, and does not go by the clock:

- A loop that computes for ever uses processor time. It hangs when its process used much of that
  since its last beat. A process that is stopped (SIGSTOP), on a machine that sleeps, or that gets
  no processor because the machine is overloaded, uses none: it is not blamed.
- A loop that waits for ever, as for a lock, uses none either, and the kernel shows it asleep. So
  looks are counted that found it asleep and without a beat. On a machine that sleeps nobody looks,
  and a process that is stopped, or waits for a disk or a processor, is not asleep (proc(5), state).

A process that hangs is told to write where it is, in every thread, to its log; then it is killed.
This file imports little, since the supervisor does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOOK_PERIOD_S: Final = 2.0
STACKS_SIGNAL: Final = signal.SIGUSR1
# How long a hung process gets for writing its stacks.
STACKS_GRACE_S: Final = 0.5
# The process' id, and how often it has beaten.
NUMBER: Final = struct.Struct("=QQ")
# The longest work in one turn that is known, the load of a large store, takes some seconds.
_MOST_CPU_S: Final = 30.0
_MOST_LOOKS_ASLEEP: Final = 30
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Look:
    """What the watcher sees of a process in one moment.

    beats: None when there is no beat of this process yet. state: the letter of proc(5).
    """

    beats: int | None
    cpu_s: float
    state: str


@dataclass
class Watch:
    """Judges the looks at one process: how much must be seen before its loop counts as hung."""

    most_cpu_s: float = _MOST_CPU_S
    most_looks_asleep: int = _MOST_LOOKS_ASLEEP
    _beats: int | None = None
    _cpu_s: float = 0.0
    _asleep: int = 0

    def hung(self, look: Look) -> str | None:
        """Take in the next look; what is wrong in words, or None."""
        if look.beats is None:
            return None  # Its loop has not begun.
        if look.beats != self._beats or look.state in "Tt":
            # One that was stopped gets its full time again from when it goes on.
            self._beats, self._cpu_s, self._asleep = look.beats, look.cpu_s, 0
            return None
        if look.state == "S":
            self._asleep += 1
        used_s = look.cpu_s - self._cpu_s
        if used_s > self.most_cpu_s:
            return f"its event loop has not turned while it computed for {used_s:.0f} s"
        if self._asleep > self.most_looks_asleep:
            return f"its event loop has not turned while it slept at {self._asleep} looks"
        return None


def look(pid: int, path: Path) -> Look | None:
    """Look at a process that beats in `path`; None when it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # Of the whole process: a thread that never lets go of the interpreter stops the loop as well.
    fields = text[text.rindex(")") + 2 :].split()
    beats = None
    with contextlib.suppress(OSError, struct.error):  # It has not begun.
        owner, number = NUMBER.unpack(path.read_bytes())
        beats = number if owner == pid else None
    return Look(beats, (int(fields[11]) + int(fields[12])) / _TICKS_PER_S, fields[0])
