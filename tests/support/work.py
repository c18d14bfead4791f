"""How much a dissector looks at: bytes, not time.

What a dissector is given counts what it does: each byte that is joined to others, cut out, or
searched in vain is counted, and what comes out of `Pending` counts as well. So a reader that
begins from the start with each segment is found out, on any machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Self, SupportsIndex

import pytest

from pilotfish.tap.dissectors.pending import Pending


class Work:
    """Counts bytes; and makes what counts them here."""

    def __init__(self) -> None:
        self.bytes = 0

    def of(self, data: bytes) -> bytes:
        """The same bytes, whose use is counted."""
        counted = _Counted(data)
        counted.work = self
        return counted

    def watch(self, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
        """Count too what the modules' expressions search, and what waited in `Pending`."""
        take = Pending.take

        def counted_take(pending: Pending, payload: bytes) -> bytes:
            whole = take(pending, payload)
            if whole is payload or not whole:
                return whole
            self.bytes += len(whole)
            return self.of(whole)

        monkeypatch.setattr(Pending, "take", counted_take)
        for module in modules:
            for name, value in vars(module).items():
                if isinstance(value, re.Pattern) and isinstance(value.pattern, bytes):
                    monkeypatch.setattr(module, name, _Searching(value, self))


class _Counted(bytes):
    work: Work

    def _use(self, data: bytes, cost: int) -> bytes:
        self.work.bytes += cost
        return self.work.of(data)

    def __add__(self, other: Any) -> bytes:
        return self._use(bytes(self) + bytes(other), len(self) + len(other))

    def __radd__(self, other: Any) -> bytes | bytearray:
        if isinstance(other, bytearray):
            # It grows in its place: what is there already is not copied.
            self.work.bytes += len(self)
            other += bytes(self)
            return other
        return self._use(bytes(other) + bytes(self), len(self) + len(other))

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, slice):
            self.work.bytes += 1
            return bytes.__getitem__(self, key)
        part = bytes.__getitem__(self, key)
        return self._use(part, len(part))

    def find(self, sub: Any, start: Any = 0, end: Any = None, /) -> int:
        found = bytes.find(self, sub, start, end)
        last = len(self) if end is None else min(end, len(self))
        self.work.bytes += (found if found >= 0 else last) - start
        return found

    def split(self, sep: Any = None, maxsplit: SupportsIndex = -1) -> list[bytes]:
        self.work.bytes += len(self)
        return bytes.split(self, sep, maxsplit)


class _Searching:
    """A regular expression that counts how far it searched."""

    def __init__(self, pattern: re.Pattern[bytes], work: Work) -> None:
        self._pattern = pattern
        self._work = work

    def search(self, data: bytes, start: int = 0, end: int | None = None) -> re.Match[bytes] | None:
        last = len(data) if end is None else end
        found = self._pattern.search(data, start, last)
        self._work.bytes += (found.end() if found else last) - start
        return found

    def finditer(self, data: bytes) -> Iterator[re.Match[bytes]]:
        self._work.bytes += len(data)
        return self._pattern.finditer(data)

    def match(self, data: bytes, *where: int) -> re.Match[bytes] | None:
        found = self._pattern.match(data, *where)
        self._work.bytes += (found.end() - found.start()) if found else 1
        return found

    def fullmatch(self, data: bytes) -> re.Match[bytes] | None:
        self._work.bytes += len(data)
        return self._pattern.fullmatch(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def __deepcopy__(self, _memo: Any) -> Self:
        return self
