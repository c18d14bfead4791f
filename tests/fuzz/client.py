"""A client that sends bytes as they are and waits for the answer, with an end to its patience."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

from fuzz.requests import Request

# Nothing that one request asks for takes so long; a loop that hangs does.
PATIENCE_S: Final = 30.0


class HangError(Exception):
    """A request that was not answered in time."""


class Connection:
    """A connection to an API server's Unix socket, opened again when the server closes it."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._socket: socket.socket | None = None
        self._buffer = b""

    def close(self) -> None:
        """Let go of it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._buffer = b""

    def send(self, request: Request) -> tuple[int, bytes, bytes]:
        """Send a request; its answer's code, head and body (of a watch, what comes first).

        Raises:
            HangError: when there is no answer in time.
            OSError: when the server is gone.
        """
        data = _bytes(request)
        # A connection may be lost while the server closes it behind an early answer; a request that
        # the server cannot answer loses the second one as well.
        for attempt in (1, 2):
            try:
                return self._exchange(request, data)
            except TimeoutError as error:
                self.close()
                raise HangError(f"no answer within {PATIENCE_S} s") from error
            except OSError:
                self.close()
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def _exchange(self, request: Request, data: bytes) -> tuple[int, bytes, bytes]:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(PATIENCE_S)
            self._socket.connect(self._path)
        with suppress(BrokenPipeError, ConnectionResetError):
            # What is refused before it has been read is answered all the same.
            self._socket.sendall(data)
        while b"\r\n\r\n" not in self._buffer:
            self._receive()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        code = int(head.split(b" ", 2)[1])
        lower = head.lower()
        if code == 101:
            self.close()
            return code, head, b""
        if request.method == "HEAD" or code in (204, 304):
            body = b""
        elif b"transfer-encoding: chunked" in lower:
            is_watch = b"watch" in request.target.encode() and code == 200
            body = b"" if is_watch else self._chunks()
            if is_watch:
                self.close()
        elif b"content-length:" in lower:
            size = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
            while len(self._buffer) < size:
                self._receive()
            body, self._buffer = self._buffer[:size], self._buffer[size:]
        else:
            body = b""
            self.close()
        if b"connection: close" in lower:
            self.close()
        return code, head, body

    def _chunks(self) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self._buffer:
                self._receive()
            line, _, self._buffer = self._buffer.partition(b"\r\n")
            size = int(line.partition(b";")[0], 16)
            while len(self._buffer) < size + 2:
                self._receive()
            body += self._buffer[:size]
            self._buffer = self._buffer[size + 2 :]
            if not size:
                return body

    def _receive(self) -> None:
        assert self._socket is not None
        data = self._socket.recv(1 << 20)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        self._buffer += data


def _bytes(request: Request) -> bytes:
    lines = [f"{request.method} {request.target} HTTP/1.1", "Host: api"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.body or request.method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {len(request.body)}")
    head = "\r\n".join(line.replace("\r", "").replace("\n", "") for line in lines)
    return head.encode(errors="replace") + b"\r\n\r\n" + request.body
