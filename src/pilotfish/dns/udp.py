"""The UDP side: datagrams in, replies out, many for each time the event loop wakes.

A transport and its callbacks would cost as much as the answer itself, so the socket is read in a
plain loop until it is empty.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from pilotfish.dns.answers import Answerer, Forward
from pilotfish.dns.forwarder import Forwarder

# Others in the process (kubelet, proxy) get their turn after this many, a few milliseconds.
_BATCH = 128
_MAX_QUERY_BYTES = 4096
_RECEIVE_BUFFER_BYTES = 4 << 20  # a burst of thousands of queries waits rather than gets lost

logger = logging.getLogger(__name__)

Address = tuple[str, int]


class UdpServer:
    """Answers queries on one UDP socket, from `start` to `close`."""

    def __init__(self, answerer: Answerer, forwarder: Forwarder) -> None:
        self._answerer = answerer
        self._forwarder = forwarder
        self._socket: socket.socket | None = None

    def start(self, address: str, port: int) -> None:
        """Listen. Raises OSError when the address is not here or the port is taken."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            opened.bind((address, port))
        except OSError:
            opened.close()
            raise
        self._socket = opened
        asyncio.get_running_loop().add_reader(opened, self._drain)

    def close(self) -> None:
        """Stop listening; replies that are still to come are dropped."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _drain(self) -> None:
        opened = self._socket
        if opened is None:
            return
        answer = self._answerer.answer
        for _ in range(_BATCH):
            try:
                packet, asker = opened.recvfrom(_MAX_QUERY_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                # An ICMP error for an earlier reply: its asker is gone.
                logger.debug("receiving a query: %s", error)
                continue
            reply = answer(packet)
            if type(reply) is bytes:
                try:
                    opened.sendto(reply, asker)
                except OSError as error:
                    _report(asker, error)
            elif isinstance(reply, Forward):
                self._forwarder.submit(reply, self._replier(asker))

    def _replier(self, asker: Address) -> Callable[[bytes], None]:
        def reply(packet: bytes) -> None:
            if self._socket is None:
                return
            try:
                self._socket.sendto(packet, asker)
            except OSError as error:
                _report(asker, error)

        return reply


def _report(asker: Address, error: OSError) -> None:
    logger.info("a reply to %s port %d could not be sent: %s", asker[0], asker[1], error)
