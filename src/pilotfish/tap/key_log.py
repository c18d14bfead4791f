"""Key logs: the secrets of TLS connections, as browsers and curl write them to SSLKEYLOGFILE.

A line is a label, the client random and a secret, in hexadecimal (the format of
NSS, draft-ietf-tls-keylogfile). The file may grow while it is read.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from pathlib import Path

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 100_000
_MAX_LINE_BYTES = 1024


class KeyLog:
    """Secrets by client random.

    A connection may be captured before its secrets are written, so whoever finds none may
    ask again later.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Make a key log; with a path, lines are read from there, now and as they come."""
        self._path = path
        self._read_bytes = 0
        self._secrets: OrderedDict[bytes, dict[str, bytes]] = OrderedDict()

    def add(self, text: bytes) -> None:
        """Take lines; what is no key log line (comments, for example) is passed over."""
        for line in text.splitlines():
            parts = line[:_MAX_LINE_BYTES].split()
            if len(parts) != 3 or line.startswith(b"#"):
                continue
            try:
                label, random, secret = parts[0].decode(), *map(_unhex, parts[1:])
            except ValueError:
                continue
            self._secrets.setdefault(random, {})[label] = secret
            if len(self._secrets) > MAX_CONNECTIONS:
                self._secrets.popitem(last=False)

    def secrets(self, client_random: bytes) -> dict[str, bytes]:
        """The secrets of one connection by label; empty when none are known (yet)."""
        if client_random not in self._secrets and self._path is not None:
            self._read(self._path)
        return self._secrets.get(client_random, {})

    def _read(self, path: Path) -> None:
        """Read the whole lines that were appended since the last time."""
        try:
            with path.open("rb") as file:
                file.seek(self._read_bytes)
                text = file.read()
        except OSError as error:
            log.warning("key log %s cannot be read: %s", path, error.strerror)
            self._path = None
            return
        whole = text.rpartition(b"\n")[0]
        self._read_bytes += len(whole) + (1 if whole else 0)
        self.add(whole)


def _unhex(text: bytes) -> bytes:
    return bytes.fromhex(text.decode("ascii"))
