"""Open descriptors that outlive the process that opened them.

A terminal lives as long as somebody holds its master: when a node process is killed, the kernel
would hang up every container with a terminal (SIGHUP to its session, tty_vhangup in
drivers/tty/tty_io.c). So the kubelet leaves a copy of each master here, and takes it back when
it has been started again. systemd keeps descriptors for its services in the same way
(FDSTORE in sd_notify(3)).

On a Unix socket of type SOCK_SEQPACKET, one packet asks and one answers (SCM_RIGHTS, unix(7)):

    keep NAME + descriptor → ok
    take NAME              → ok + descriptor, or none
    drop NAME              → ok
"""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

_MAX_PACKET = 512
_TIMEOUT_S = 1.0


class DescriptorStore:
    """Keeps descriptors by name until they are dropped, or this process ends."""

    def __init__(self, path: Path) -> None:
        """Listens at `path`; replaces the socket of a store that is gone."""
        path.unlink(missing_ok=True)
        self.listener = socket.socket(
            socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        )
        self.listener.bind(str(path))
        path.chmod(0o600)
        self.listener.listen(64)
        self._kept: dict[str, int] = {}

    def serve(self) -> None:
        """Answer one client; to be called when the listener is readable."""
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return
        with connection:
            connection.settimeout(_TIMEOUT_S)
            try:
                self._answer(connection)
            except OSError as error:
                logger.warning("a client of the descriptor store failed: %s", error)

    def _answer(self, connection: socket.socket) -> None:
        packet, descriptors, _flags, _address = socket.recv_fds(connection, _MAX_PACKET, 1)
        command, _, name = packet.decode("ascii", "replace").partition(" ")
        if command == "keep" and descriptors:
            self._drop(name)
            self._kept[name] = descriptors.pop()
        elif command == "take" and name in self._kept:
            socket.send_fds(connection, [b"ok"], [self._kept[name]])
            return
        elif command == "take":
            connection.send(b"none")
            return
        elif command == "drop":
            self._drop(name)
        for descriptor in descriptors:
            os.close(descriptor)
        connection.send(b"ok")

    def _drop(self, name: str) -> None:
        descriptor = self._kept.pop(name, None)
        if descriptor is not None:
            os.close(descriptor)
