"""A channel: calls and streams of gRPC to etcd, over a connection that is replaced when it breaks.

A call that was under way when the connection broke fails: nobody knows whether etcd did what it
asked for. A call that finds no connection waits a while for one.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator
from typing import Final, cast

from pilotfish.apiserver.store.etcd.address import EtcdAddress
from pilotfish.apiserver.store.etcd.http2 import (
    UNAVAILABLE,
    Ended,
    Http2Connection,
    Http2Error,
    Message,
)

log = logging.getLogger(__name__)

_CONNECT_S: Final = 3.0
_ENDED: Final = "closed by the other end"
# How long a call waits for a connection, so that a restart of etcd passes unnoticed.
_PATIENCE_S: Final = 5.0
_PING_S: Final = 5.0
_RETRY_S: Final = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
# Go's HTTP/2 server, which etcd uses with TLS, takes 250 calls at a time.
_AT_ONCE: Final = 200


class EtcdError(Exception):
    """etcd did not do what it was asked. code: gRPC's status."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class UnreachableError(EtcdError):
    """There is no connection. The call was not sent, or may have been done or not (`is_sent`)."""

    def __init__(self, text: str, *, is_sent: bool) -> None:
        super().__init__(UNAVAILABLE, text)
        self.is_sent = is_sent


class Channel:
    """Calls to one etcd cluster. `open` it first, `close` it at the end."""

    def __init__(self, address: EtcdAddress) -> None:
        self._address = address
        self._connected = asyncio.Event()
        self._connection: _Connection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._trouble = "not connected yet"

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now."""
        return self._connected.is_set()

    async def open(self) -> None:
        """Connect, and from then on keep connected.

        Raises:
            UnreachableError: when no member answers.
            OSError: for a certificate file that cannot be read.
        """
        context = self._address.ssl_context()
        await self._connect(context)
        self._keeper = asyncio.create_task(self._keep(context), name="connection to etcd")

    async def close(self) -> None:
        """Break the connection, and with it what is under way."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._connection is not None:
            self._connection.close("closed")

    async def call(self, method: str, message: bytes) -> bytes:
        """Ask once, for one answer.

        Raises:
            EtcdError: etcd's refusal.
            UnreachableError: no connection, or it broke.
        """
        async with self._slots:
            connection = await self._current()
            answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            stream = connection.request(method, message, answer)
            try:
                return await answer
            except asyncio.CancelledError:
                connection.cancel(stream)
                raise

    async def stream(self, method: str, message: bytes) -> AsyncGenerator[bytes, None]:
        """Ask once, for answers without end.

        Raises:
            EtcdError, UnreachableError: when they end.
        """
        connection = await self._current()
        answers: asyncio.Queue[bytes | EtcdError] = asyncio.Queue()
        stream = connection.request(method, message, answers)
        try:
            while True:
                answer = await answers.get()
                if isinstance(answer, EtcdError):
                    raise answer
                yield answer
        finally:
            connection.cancel(stream)

    async def _current(self) -> _Connection:
        if self._connection is None or not self._connected.is_set():
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._connected.wait()
            except TimeoutError:
                raise UnreachableError(self._trouble, is_sent=False) from None
        assert self._connection is not None
        return self._connection

    async def _keep(self, context: ssl.SSLContext | None) -> None:
        """Ask now and then whether etcd is there, and connect again when it is not."""
        while True:
            connection = self._connection
            assert connection is not None
            while not connection.lost.is_set():
                silent = connection.is_silent
                connection.ping()
                try:
                    async with asyncio.timeout(_PING_S):
                        await connection.lost.wait()
                except TimeoutError:
                    if silent and connection.is_silent:
                        connection.close("it does not answer")
            self._connected.clear()
            self._trouble = connection.reason
            log.warning("the connection to %s is lost: %s", self._address, connection.reason)
            tries = 0
            while not self._connected.is_set():
                try:
                    await self._connect(context)
                except UnreachableError as error:
                    self._trouble = str(error)
                    await asyncio.sleep(_RETRY_S[min(tries, len(_RETRY_S) - 1)])
                    tries += 1
            log.info("connected to %s again", self._address)

    async def _connect(self, context: ssl.SSLContext | None) -> None:
        """Connect to the first member that answers."""
        loop = asyncio.get_running_loop()
        troubles = []
        for host, port in self._address.endpoints:
            name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            scheme = "http" if context is None else "https"
            connection = _Connection(Http2Connection(name, scheme))
            try:
                async with asyncio.timeout(_CONNECT_S):
                    await loop.create_connection(lambda: connection, host, port, ssl=context)  # noqa: B023
                    await connection.greeted(_CONNECT_S)
            except (OSError, TimeoutError) as error:
                why = connection.reason or _why(error)
                if why == _ENDED and context is not None:
                    # Its alert that a certificate is missing may be overtaken by the end.
                    why += "; if it wants a certificate, add cert=FILE and key=FILE"
                connection.close(why)
                troubles.append(f"{name}: {why}")
                continue
            self._connection = connection
            self._connected.set()
            return
        raise UnreachableError(", ".join(troubles), is_sent=False)


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError) and "CERTIFICATE" in (error.reason or ""):
        # TLS 1.3 tells it after the handshake, when it has seen what we show.
        return "it does not accept our certificate, or wants one: add cert=FILE and key=FILE"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, BrokenPipeError | ConnectionResetError):
        return _ENDED
    return getattr(error, "strerror", "") or str(error)


class _Connection(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, http: Http2Connection) -> None:
        self.lost = asyncio.Event()
        self.reason = ""
        self.is_silent = False
        self._http = http
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, asyncio.Future[bytes] | asyncio.Queue[bytes | EtcdError]] = {}
        self._first: dict[int, bytes] = {}
        self._is_flushing = False
        self._loop = asyncio.get_running_loop()
        self._greeting: asyncio.Future[None] = self._loop.create_future()

    async def greeted(self, timeout_s: float) -> None:
        """Return when the other end has shown that it speaks HTTP/2.

        Raises:
            ConnectionError: when it does not.
        """
        self.ping()
        async with asyncio.timeout(timeout_s):
            await self._greeting

    def request(
        self,
        method: str,
        message: bytes,
        waiting: asyncio.Future[bytes] | asyncio.Queue[bytes | EtcdError],
    ) -> int:
        """Send a request; what is answered goes to `waiting`."""
        stream = self._http.request(method, message)
        self._waiting[stream] = waiting
        self._flush_soon()
        if self._http.is_used_up:
            self.close("the numbers of its calls are used up")
        return stream

    def cancel(self, stream: int) -> None:
        """Be interested in an answer no longer."""
        if self._waiting.pop(stream, None) is not None:
            self._first.pop(stream, None)
            self._http.cancel(stream)
            self._flush_soon()

    def ping(self) -> None:
        """Make the other end say something; `is_silent` until it does."""
        self.is_silent = True
        self._http.ping()
        self._flush_soon()

    def close(self, reason: str) -> None:
        """End the connection, and everything under way."""
        if self.lost.is_set():
            return
        self.lost.set()
        self.reason = self.reason or reason
        if self._transport is not None:
            self._transport.abort()
        if not self._greeting.done():
            self._greeting.set_exception(ConnectionError(self.reason))
            self._greeting.exception()  # nobody may be waiting
        waiting, self._waiting = self._waiting, {}
        error = UnreachableError(f"the connection broke ({self.reason})", is_sent=True)
        for one in waiting.values():
            _fail(one, error)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)
        self._flush_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        self.close(_why(exc) if exc else _ENDED)

    def data_received(self, data: bytes) -> None:
        self.is_silent = False
        try:
            events = self._http.receive(data)
        except (Http2Error, ValueError) as error:
            self.close(str(error))
            return
        if not self._greeting.done():
            self._greeting.set_result(None)
        for event in events:
            if isinstance(event, Message):
                waiting = self._waiting.get(event.stream)
                if isinstance(waiting, asyncio.Queue):
                    waiting.put_nowait(event.data)
                elif waiting is not None:
                    self._first[event.stream] = event.data
            elif isinstance(event, Ended):
                self._ended(event)
        self._flush_soon()

    def _ended(self, event: Ended) -> None:
        waiting = self._waiting.pop(event.stream, None)
        answer = self._first.pop(event.stream, None)
        if waiting is None:
            return
        if event.status or isinstance(waiting, asyncio.Queue):
            _fail(waiting, EtcdError(event.status, event.text))
        elif not waiting.done():
            # A message without fields is no message at all.
            waiting.set_result(answer or b"")

    def _flush_soon(self) -> None:
        """Send all that this turn of the loop has to say, at once."""
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flushing = False
        if self._transport is None or self._transport.is_closing():
            return
        data = self._http.take()
        if data:
            self._transport.write(data)


def _fail(
    waiting: asyncio.Future[bytes] | asyncio.Queue[bytes | EtcdError], error: EtcdError
) -> None:
    if isinstance(waiting, asyncio.Queue):
        waiting.put_nowait(error)
    elif not waiting.done():
        waiting.set_exception(error)
