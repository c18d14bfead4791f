"""The HTTP probe: one GET over a fresh connection, read just far enough to know the status.

Written on plain streams: a probe costs one connection and no session, and a thousand of them
leave nothing behind.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import cache

from pilotfish.node.probes.ports import resolve_port
from pilotfish.node.probes.state import Result
from pilotfish.objects.meta import Object
from pilotfish.objects.numbers import whole_number

USER_AGENT = "kube-probe/1.37"
_MAX_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class HttpRequest:
    scheme: str
    address: str
    port: int
    path: str
    headers: tuple[tuple[str, str], ...]

    @property
    def url(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    def encode(self) -> bytes:
        host = f"[{self.address}]" if ":" in self.address else self.address
        given = {name.lower() for name, _ in self.headers}
        lines = [f"GET {self.path} HTTP/1.1"]
        if "host" not in given:
            lines.append(f"Host: {host}:{self.port}")
        if "user-agent" not in given:
            lines.append(f"User-Agent: {USER_AGENT}")
        if "accept" not in given:
            lines.append("Accept: */*")
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def http_request(container: Object, action: Object, pod_ip: str) -> HttpRequest:
    """The request of an `httpGet`. Raises ValueError for an unknown port name."""
    path = str(action.get("path") or "/")
    return HttpRequest(
        scheme=str(action.get("scheme") or "HTTP").lower(),
        address=str(action.get("host") or pod_ip),
        port=resolve_port(container, action["port"]),
        path=path if path.startswith("/") else f"/{path}",
        headers=tuple(
            (header["name"], header["value"]) for header in action.get("httpHeaders") or []
        ),
    )


def parse_status(line: bytes) -> int:
    """The code of a status line (RFC 9112, section 4). Raises ValueError."""
    parts = line.split(b" ", 2)
    code = whole_number(parts[1].decode("latin-1")) if len(parts) > 1 else None
    if code is None or not parts[0].startswith(b"HTTP/"):
        raise ValueError(f"malformed HTTP response {line[:80]!r}")
    return code


@cache
def _tls() -> ssl.SSLContext:
    """No verification: Pods rarely have a certificate for their address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def get(request: HttpRequest, timeout_s: float) -> int:
    """The status code. Raises OSError, TimeoutError, ValueError."""
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_connection(
            request.address,
            request.port,
            ssl=_tls() if request.scheme == "https" else None,
            limit=_MAX_HEAD_BYTES,
        )
        try:
            writer.write(request.encode())
            return parse_status((await reader.readline()).rstrip(b"\r\n"))
        finally:
            writer.transport.abort()  # nothing left to say; no lingering socket either


def connection_error(error: OSError, address: str, port: int) -> str:
    """An error of connecting in the words of Go's net package, which people search for."""
    reason = {
        "ConnectionRefusedError": "connection refused",
        "ConnectionResetError": "connection reset by peer",
    }.get(type(error).__name__, (error.strerror or str(error)).lower())
    return f"dial tcp {address}:{port}: connect: {reason}"


async def probe_http(request: HttpRequest, timeout_s: float) -> Result:
    """Success is 200 to 399."""
    try:
        status = await get(request, timeout_s)
    except TimeoutError:
        message = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        return Result(False, f'Get "{request.url}": {message}')
    except OSError as error:
        message = connection_error(error, request.address, request.port)
        return Result(False, f'Get "{request.url}": {message}')
    except ValueError as error:
        return Result(False, f'Get "{request.url}": {error}')
    if 200 <= status < 400:
        return Result(True)
    return Result(False, f"HTTP probe failed with statuscode: {status}")
