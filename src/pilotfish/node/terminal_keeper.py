"""Terminals' masters that must outlive the kubelet: kept by the supervisor.

Without a holder of its master a terminal hangs up, and the container with it. The other end is
`cluster.descriptor_store`, which explains the protocol.
"""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

log = logging.getLogger(__name__)

_TIMEOUT_S = 1.0


class TerminalKeeper:
    """`path` is the supervisor's socket. Without a supervisor nothing is kept, and it is logged."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, container_id: str, master: int) -> None:
        """Leave a copy of a container's master with the supervisor."""
        self._ask("keep", container_id, [master])

    def take(self, container_id: str) -> int | None:
        """A copy of the master that was left, non-blocking; None when there is none."""
        descriptors = self._ask("take", container_id, [])
        if not descriptors:
            return None
        os.set_blocking(descriptors[0], False)
        return descriptors[0]

    def drop(self, container_id: str) -> None:
        """The container has ended: nobody needs its master any more."""
        self._ask("drop", container_id, [])

    def _ask(self, command: str, container_id: str, descriptors: list[int]) -> list[int]:
        packet = f"{command} {container_id}".encode()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(_TIMEOUT_S)
            try:
                connection.connect(str(self._path))
                socket.send_fds(connection, [packet], descriptors)
                _answer, received, _flags, _address = socket.recv_fds(connection, 16, 1)
            except OSError as error:
                log.warning(
                    "terminal of container %s: cannot %s it: %s", container_id, command, error
                )
                return []
        return received
