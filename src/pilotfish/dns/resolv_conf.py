"""The machine's resolvers, from its resolv.conf; read again when the file changes."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Collection
from pathlib import Path

_MAX_NAME_SERVERS = 3  # as in glibc's resolver; the others are never asked there either

logger = logging.getLogger(__name__)


def name_servers(text: str, own: Collection[str] = ()) -> list[str]:
    """The addresses of a resolv.conf, in their order, without those in `own`.

    Our own addresses would make a query go round in circles (a machine may well have been told to
    use the cluster's DNS).
    """
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "nameserver":
            continue
        try:
            ipaddress.ip_address(words[1].partition("%")[0])
        except ValueError:
            continue
        found.append(words[1])
    return [address for address in found[:_MAX_NAME_SERVERS] if address not in own]


class ResolvConf:
    """The resolvers as the file says now."""

    def __init__(self, path: Path, own: Collection[str]) -> None:
        self._path = path
        self._own = own
        self._seen: tuple[int, int] | None = None
        self._servers: list[str] = []

    def servers(self) -> list[str]:
        """The addresses to ask, in order; empty when the machine has no resolver."""
        try:
            status = self._path.stat()
            seen = (status.st_ino, status.st_mtime_ns)
            if seen != self._seen:
                self._servers = name_servers(self._path.read_text(errors="replace"), self._own)
                self._seen = seen
                self._tell()
        except OSError as error:
            if self._seen != (0, 0):
                logger.warning("names outside the cluster cannot be resolved: %s", error)
            self._seen, self._servers = (0, 0), []
        return self._servers

    def _tell(self) -> None:
        if self._servers:
            logger.info("names outside the cluster are asked of %s", ", ".join(self._servers))
        else:
            logger.warning(
                "names outside the cluster cannot be resolved: %s names no usable nameserver",
                self._path,
            )
