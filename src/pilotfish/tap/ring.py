"""Packets of a network namespace through AF_PACKET and a memory-mapped ring.

The kernel writes packets into blocks of memory that it shares with us
(TPACKET_V3, Documentation/networking/packet_mmap.rst): no system call and no
copy for each packet, and what finds no room is counted, not waited for. A
classic BPF program, run in the kernel, keeps away what nobody asked for.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

_SOL_PACKET = 263
_PACKET_RX_RING = 5
_PACKET_STATISTICS = 6
_PACKET_VERSION = 10
_TPACKET_V3 = 2
_SO_ATTACH_FILTER = 26
_ETH_P_ALL = 0x0003
_PACKET_OUTGOING = 4

_STATUS_USER = 1  # TP_STATUS_USER: the block is ours to read
# A block is handed over when it is full, or this long after its first packet.
_RETIRE_MS = 20

_block_head = struct.Struct("=IIIIII").unpack_from
# tp_next_offset, tp_sec, tp_nsec, tp_snaplen, tp_len, tp_status, tp_mac
_packet_head = struct.Struct("=IIIIIIH").unpack_from
# sll_ifindex, sll_hatype, sll_pkttype of the sockaddr_ll behind the 48 bytes of the head
_link_head = struct.Struct("=iHB").unpack_from
_LINK_AT = 48 + 4

Instruction = tuple[int, int, int, int]


class CapturedFrame(NamedTuple):
    """A frame as an interface saw it.

    Attributes:
        time_s: when, by the kernel, seconds since 1970.
        data: the frame from its Ethernet header on.
        length: how long it was on the wire, bytes.
        interface: the index of the interface.
        outgoing: whether the machine sent it out there.
    """

    time_s: float
    data: bytes
    length: int
    interface: int
    outgoing: bool


class Ring:
    """A capture on all interfaces of the network namespace that the thread is in.

    Attributes:
        dropped: packets that found the ring full.
    """

    def __init__(
        self,
        accept: Sequence[Instruction] = (),
        block_bytes: int = 1 << 20,
        blocks: int = 32,
    ) -> None:
        """Open the capture; it runs from now on.

        Args:
            accept: a classic BPF program that says which packets to keep; none: all.
            block_bytes: size of a block, a power of two.
            blocks: how many blocks the ring has.

        Raises:
            PermissionError: without CAP_NET_RAW.
        """
        self.dropped = 0
        self._block_bytes = block_bytes
        self._blocks = blocks
        self._next = 0
        # Protocol 0: nothing is captured before filter and ring are in place.
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            self._socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V3)
            if accept:
                _attach(self._socket, accept)
            request = struct.pack(
                "=7I", block_bytes, blocks, 2048, block_bytes // 2048 * blocks, _RETIRE_MS, 0, 0
            )
            self._socket.setsockopt(_SOL_PACKET, _PACKET_RX_RING, request)
            self._memory = mmap.mmap(self._socket.fileno(), block_bytes * blocks)
            _bind_to_all(self._socket)
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """Readable when a block waits, for event loops."""
        return self._socket.fileno()

    def read(self) -> Iterator[CapturedFrame]:
        """The frames of the blocks that the kernel has filled since the last call."""
        memory = self._memory
        for _ in range(self._blocks):
            at = self._next * self._block_bytes
            _, _, status, count, first, _ = _block_head(memory, at)
            if not status & _STATUS_USER:
                return
            packet = at + first
            for _ in range(count):
                step, seconds, nanoseconds, captured, length, _, mac = _packet_head(memory, packet)
                interface, _, kind = _link_head(memory, packet + _LINK_AT)
                start = packet + mac
                yield CapturedFrame(
                    seconds + nanoseconds * 1e-9,
                    memory[start : start + captured],
                    length,
                    interface,
                    kind == _PACKET_OUTGOING,
                )
                packet += step
            # Give the block back.
            struct.pack_into("=I", memory, at + 8, 0)
            self._next = (self._next + 1) % self._blocks

    def count_dropped(self) -> int:
        """Ask the kernel how many packets were dropped; the sum since the beginning."""
        # The kernel's own counters start over with each question.
        statistics = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 12)
        self.dropped += struct.unpack("=III", statistics)[1]
        return self.dropped

    def close(self) -> None:
        """End the capture and give the memory back."""
        self._memory.close()
        self._socket.close()


def _bind_to_all(sock: socket.socket) -> None:
    """bind(2) with interface index 0, which Python's own bind cannot say."""
    address = struct.pack("=HHiHBB8x", socket.AF_PACKET, socket.htons(_ETH_P_ALL), 0, 0, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.bind(sock.fileno(), address, len(address)) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _attach(sock: socket.socket, program: Sequence[Instruction]) -> None:
    """SO_ATTACH_FILTER with struct sock_fprog, which points at the instructions."""
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    fprog = struct.pack("HP", len(program), ctypes.addressof(buffer))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, fprog)
