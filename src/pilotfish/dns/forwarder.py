"""Asks the machine's resolvers for what is not the cluster's, and remembers the answers.

Every question goes out over a socket of its own with a random port and id, so that nobody can
guess where to send a forged answer (RFC 5452); the sockets are opened in the namespace that has a
way out. The same question asked again while it is under way waits for the same answer.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import struct
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext

from pilotfish.dns import forwarded, wire
from pilotfish.dns.answers import Forward
from pilotfish.dns.forwarded import Upstream
from pilotfish.dns.resolv_conf import ResolvConf
from pilotfish.network import namespaces

MAX_PENDING = 1000
MAX_UNDER_WAY = 128  # each has a socket, and the process may have 1024 files open
MAX_CACHED = 4096
# A stub resolver waits 5 s for an answer (man 5 resolv.conf): ours must come before, also when
# the first resolver is dead.
UDP_TIMEOUT_S = 1.5
TOTAL_TIMEOUT_S = 4.5
_PORT = 53
_MAX_DATAGRAM_BYTES = 65535

logger = logging.getLogger(__name__)


class Forwarder:
    """Answers `Forward` orders. Close it to give up what is under way."""

    def __init__(self, resolv_conf: ResolvConf, namespace: str = "") -> None:
        self._resolv_conf = resolv_conf
        self._namespace = namespace
        self._under_way = asyncio.Semaphore(MAX_UNDER_WAY)
        self._preferred = ""  # the resolver that answered last
        self._cache: OrderedDict[bytes, tuple[float, Upstream]] = OrderedDict()
        self._pending: dict[bytes, asyncio.Task[Upstream | None]] = {}

    def cached(self, order: Forward) -> bytes | None:
        """The reply, when its answer is remembered."""
        kept = self._cache.get(forwarded.cache_key(order))
        if kept is None:
            return None
        came, answer = kept
        age_s = time.monotonic() - came
        if age_s >= answer.ttl_s:
            del self._cache[forwarded.cache_key(order)]
            return None
        return forwarded.build_reply(order, answer, int(age_s))

    def submit(self, order: Forward, reply: Callable[[bytes], None]) -> None:
        """Call `reply` with the reply, at once if it is at hand."""
        at_hand = self.cached(order)
        if at_hand is not None:
            reply(at_hand)
            return
        key = forwarded.cache_key(order)
        task = self._pending.get(key)
        if task is None:
            servers = self._in_order()
            if not servers or len(self._pending) >= MAX_PENDING:
                if servers:
                    logger.warning("more than %d queries wait for a resolver", MAX_PENDING)
                reply(forwarded.failure(order))
                return
            task = asyncio.create_task(self._resolve(order, key, servers))
            self._pending[key] = task

        def done(task: asyncio.Task[Upstream | None]) -> None:
            if task.cancelled():
                return
            answer = task.result()
            if answer is None:
                reply(forwarded.failure(order))
            else:
                reply(forwarded.build_reply(order, answer, 0))

        task.add_done_callback(done)

    async def close(self) -> None:
        """Give up what is under way; nobody gets a reply any more."""
        tasks = list(self._pending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _in_order(self) -> list[str]:
        servers = self._resolv_conf.servers()
        if self._preferred in servers[1:]:
            return [self._preferred, *(one for one in servers if one != self._preferred)]
        return servers

    async def _resolve(self, order: Forward, key: bytes, servers: list[str]) -> Upstream | None:
        """The first useful answer of the resolvers; None when none gave one."""
        answer: Upstream | None = None
        name = wire.decode_name(order.question[:-4])
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT_S):
                silent = list(servers)
                for server in [*servers, *servers]:  # twice: a datagram may get lost
                    if server not in silent:
                        continue
                    try:
                        async with self._under_way:
                            answer = await self._ask(order, server)
                        silent.remove(server)
                    except (OSError, TimeoutError, wire.MalformedPacket) as error:
                        reason = str(error) or "no answer in time"
                        logger.info("resolver %s, asked for %s: %s", server, name, reason)
                        continue
                    if answer.rcode in (wire.NOERROR, wire.NXDOMAIN):
                        self._preferred = server
                        break
        except TimeoutError:
            logger.warning("no resolver answered for %s", name)
        finally:
            del self._pending[key]
        if answer is not None and answer.ttl_s:
            self._cache[key] = (time.monotonic(), answer)
            if len(self._cache) > MAX_CACHED:
                self._cache.popitem(last=False)
        return answer

    async def _ask(self, order: Forward, server: str) -> Upstream:
        """Ask one resolver: over UDP, then over TCP if the answer did not fit."""
        packet = forwarded.build_query(order, secrets.randbits(16))
        async with asyncio.timeout(UDP_TIMEOUT_S):
            answer = await self._ask_udp(packet, server)
            if answer.rcode == wire.FORMERR:
                # A server that does not know EDNS (RFC 6891 section 7): the OPT record goes.
                plain = packet[:10] + b"\0\0" + packet[wire.HEADER_BYTES : -11]
                answer = await self._ask_udp(plain, server)
        if answer.truncated:
            async with asyncio.timeout(UDP_TIMEOUT_S):
                answer = await self._ask_tcp(packet, server)
        return answer

    async def _ask_udp(self, packet: bytes, server: str) -> Upstream:
        loop = asyncio.get_running_loop()
        with self._open(server, socket.SOCK_DGRAM) as opened:
            # Connected: the kernel draws a random port, and drops what comes from elsewhere.
            opened.connect((server, _PORT))
            opened.send(packet)
            while True:
                answer = await loop.sock_recv(opened, _MAX_DATAGRAM_BYTES)
                found = forwarded.read_answer(answer, packet)
                if found is not None:
                    return found

    async def _ask_tcp(self, packet: bytes, server: str) -> Upstream:
        loop = asyncio.get_running_loop()
        with self._open(server, socket.SOCK_STREAM) as opened:
            await loop.sock_connect(opened, (server, _PORT))
            await loop.sock_sendall(opened, struct.pack("!H", len(packet)) + packet)
            length = struct.unpack("!H", await _receive(loop, opened, 2))[0]
            found = forwarded.read_answer(await _receive(loop, opened, length), packet)
        if found is None:
            raise wire.MalformedPacket("an answer to something else, over TCP")
        return found

    def _open(self, server: str, kind: socket.SocketKind) -> socket.socket:
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        with namespaces.inside(self._namespace) if self._namespace else nullcontext():
            opened = socket.socket(family, kind)
        opened.setblocking(False)
        return opened


async def _receive(loop: asyncio.AbstractEventLoop, opened: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        part = await loop.sock_recv(opened, length - len(received))
        if not part:
            raise wire.MalformedPacket("the connection ended within an answer")
        received += part
    return received
