"""Netlink to netfilter: transactions of nf_tables, and dumps.

Why not the `nft` program or a library: a transaction of 100,000 map elements has to be built in a
fraction of a second, one changed element has to be in the kernel in less than a millisecond, and
neither may cost the node process a fork or an import of tens of megabytes.

Source: include/uapi/linux/netfilter/nfnetlink.h and net/netfilter/nfnetlink.c of Linux.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Sequence
from typing import NamedTuple

from pilotfish.network.message import (
    NLM_F_ACK,
    NLM_F_DUMP,
    NLMSG_DONE,
    NLMSG_ERROR,
    attribute,
    error,
    messages,
    request,
)

SUBSYSTEM_CTNETLINK = 1
SUBSYSTEM_NFTABLES = 10

_NETLINK_NETFILTER = 12
_NLM_F_DUMP_INTR = 0x10
_NLA_F_NESTED = 0x8000
_BATCH_BEGIN = 0x10
_BATCH_END = 0x11

# The kernel's defaults are 212,992 bytes; a transaction is one datagram of up to tens of megabytes.
_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33
_RECEIVE_BYTES = 1 << 18
_ANSWER_TIMEOUT_S = 60  # the kernel answers at once, but for transactions of a million elements
_MAX_SEQUENCE = (1 << 32) - 1
_RECEIVE_BUFFER_BYTES = 8 << 20


class Request(NamedTuple):
    """One message of an nf_tables transaction: its NFT_MSG_ type, extra flags, attributes."""

    kind: int
    flags: int
    body: bytes


class NetfilterError(OSError):
    """The kernel refused a request; `index` says which of a transaction's (-1: all of it)."""

    def __init__(self, code: int, explanation: str = "", index: int = -1) -> None:
        super().__init__(code, explanation or os.strerror(code))
        self.index = index


def nested(kind: int, *children: bytes) -> bytes:
    """An attribute that holds attributes."""
    return attribute(kind | _NLA_F_NESTED, b"".join(children))


def be32(kind: int, value: int) -> bytes:
    """A 32-bit number in network byte order, as netfilter wants nearly all its numbers."""
    return attribute(kind, struct.pack("!I", value & 0xFFFFFFFF))


def be64(kind: int, value: int) -> bytes:
    """A 64-bit number in network byte order."""
    return attribute(kind, struct.pack("!Q", value))


def batch(family: int, requests: Sequence[Request], sequence: int) -> bytes:
    """A transaction of nf_tables: all of `requests`, or none, between BEGIN and END.

    `sequence` is BEGIN's number; each request has the number after the one before. The last request
    alone asks for an acknowledgement. The kernel sends it, in order with the errors of refused
    requests, once the transaction is committed or given up. (END's own acknowledgement exists only
    in newer kernels.)
    """
    delimiter = _nfgenmsg(0, SUBSYSTEM_NFTABLES)
    head = _nfgenmsg(family)
    last = sequence + len(requests)
    parts = [request(_BATCH_BEGIN, 0, sequence, delimiter)]
    for number, (kind, flags, body) in enumerate(requests, start=sequence + 1):
        if number == last:
            flags |= NLM_F_ACK
        parts.append(request(SUBSYSTEM_NFTABLES << 8 | kind, flags, number, head + body))
    parts.append(request(_BATCH_END, 0, last + 1, delimiter))
    return b"".join(parts)


class NetfilterSocket:
    """A socket to netfilter in the network namespace of the thread that makes it.

    Calls block; one thread at a time.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        self._socket.bind((0, 0))
        self._socket.settimeout(_ANSWER_TIMEOUT_S)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
        self._send_buffer_bytes = 0
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def transact(self, family: int, requests: Sequence[Request]) -> None:
        """Commit `requests` as one transaction. Raises NetfilterError for the first refused one.

        Raises OSError ENOBUFS when more was refused than fits the receive buffer.
        """
        if not requests:
            return
        # Numbers are never used twice, so what is left of an earlier answer is told apart.
        begin = self._next_sequence(len(requests) + 2)
        last = begin + len(requests)
        data = batch(family, requests, begin)
        # The kernel counts its own bookkeeping against the buffer as well.
        if len(data) * 2 > self._send_buffer_bytes:
            self._send_buffer_bytes = max(len(data) * 2, 1 << 18)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, self._send_buffer_bytes)
        self._socket.send(data)
        refused: NetfilterError | None = None
        while True:
            for kind, flags, number, body in messages(self._receive()):
                if kind != NLMSG_ERROR or not begin <= number <= last:
                    continue
                code, explanation = error(flags, body)
                if code and refused is None:
                    refused = NetfilterError(code, explanation, number - begin - 1)
                if number in (begin, last):  # BEGIN stands for the transaction as a whole
                    if refused is not None:
                        raise refused
                    return

    def dump(self, kind: int, family: int, body: bytes = b"") -> list[bytes]:
        """The attributes of all that the kernel lists for a GET request, one bytes a message.

        `kind` includes the subsystem. Raises NetfilterError (ENOENT: no such table, set, …).
        """
        while True:
            found, torn = self._dump_once(kind, family, body)
            if not torn:
                return found

    def ask(self, kind: int, family: int, body: bytes) -> None:
        """One acknowledged request outside transactions. Raises NetfilterError."""
        sequence = self._send(kind, NLM_F_ACK, family, body)
        while True:
            for reply_kind, flags, number, reply in messages(self._receive()):
                if number == sequence and reply_kind == NLMSG_ERROR:
                    code, explanation = error(flags, reply)
                    if code:
                        raise NetfilterError(code, explanation)
                    return

    def _dump_once(self, kind: int, family: int, body: bytes) -> tuple[list[bytes], bool]:
        """What was listed, and whether it changed meanwhile so that it must be read again."""
        sequence = self._send(kind, NLM_F_DUMP, family, body)
        found: list[bytes] = []
        torn = False
        while True:
            for reply_kind, flags, number, reply in messages(self._receive()):
                if number != sequence:
                    continue
                torn = torn or bool(flags & _NLM_F_DUMP_INTR)
                if reply_kind == NLMSG_DONE:
                    return found, torn
                if reply_kind == NLMSG_ERROR:
                    code, explanation = error(flags, reply)
                    if code == errno.EINTR:
                        return found, True
                    raise NetfilterError(code, explanation)
                found.append(reply[4:])

    def _send(self, kind: int, flags: int, family: int, body: bytes) -> int:
        sequence = self._next_sequence(1)
        self._socket.send(request(kind, flags, sequence, _nfgenmsg(family) + body))
        return sequence

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(_RECEIVE_BYTES)
        except OSError:
            # An overflow: the kernel sends nothing more until all that is queued has been read.
            self._socket.setblocking(False)
            try:
                while self._socket.recv(_RECEIVE_BYTES):
                    pass
            except BlockingIOError:
                pass  # that was all
            finally:
                self._socket.settimeout(_ANSWER_TIMEOUT_S)
            raise

    def _next_sequence(self, count: int) -> int:
        """The first of `count` numbers that were not used before; they have 32 bits."""
        if self._sequence + count > _MAX_SEQUENCE:
            self._sequence = 0
        first = self._sequence + 1
        self._sequence += count
        return first


def _nfgenmsg(family: int, res_id: int = 0) -> bytes:
    return struct.pack("!BBH", family, 0, res_id)
