"""Bytes of one side that are not whole yet, kept so that each is looked at a few times only.

Whoever sends a message byte by byte must not make its reader begin from the start each time: that
costs the square of the message's length. So a reader says what it waits for, and is not asked
before that is there.
"""

from __future__ import annotations

import re

# Most connections never keep anything: they share this, and nobody writes to it.
_NOTHING = bytearray()


class Pending:
    """The beginning of a message of known length, or of one whose end is marked.

    Attributes:
        data: what has come.
    """

    __slots__ = ("_mark", "_need", "_searched", "_width", "data")

    def __init__(self) -> None:
        self.data = _NOTHING
        self._need = self._searched = self._width = 0
        self._mark: re.Pattern[bytes] | None = None

    def __len__(self) -> int:
        return len(self.data)

    def keep(self, rest: bytes, need: int) -> None:
        """Keep the bytes that `take` gave and nobody read, until there are `need` of them."""
        self.data = bytearray(rest)
        self._need, self._mark = need, None

    def keep_until(self, rest: bytes, mark: re.Pattern[bytes], width: int, most: int) -> None:
        """Keep them until a mark of at most `width` is among them, or there are more than `most`.

        There must be none among those that are kept here.
        """
        self.data = bytearray(rest)
        self._need, self._mark, self._width = most + 1, mark, width
        self._searched = len(self.data)

    def take(self, payload: bytes) -> bytes:
        """Take the next bytes: everything so far, or b"" while it is not enough."""
        if not self.data:
            return payload
        self.data += payload
        if len(self.data) < self._need and not self._is_marked():
            return b""
        whole = bytes(self.data)
        self.clear()
        return whole

    def clear(self) -> None:
        """Keep nothing."""
        self.data = _NOTHING
        self._need, self._mark = 0, None

    def _is_marked(self) -> bool:
        if self._mark is None:
            return False
        begin = max(self._searched - self._width + 1, 0)
        self._searched = len(self.data)
        return self._mark.search(self.data, begin) is not None
