"""The gRPC probe: one call of grpc.health.v1.Health/Check over a fresh connection.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md, and "PROTOCOL-HTTP2" of the same
place. Without TLS, as the kubelet does it; the messages are those of Kubernetes' pkg/probe/grpc.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pilotfish.node.probes.http import USER_AGENT, connection_error
from pilotfish.node.probes.state import Result
from pilotfish.objects.varint import encode_varint

if TYPE_CHECKING:
    from h2.connection import H2Connection
    from h2.events import Event

_STATUSES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
_SERVING = 1
_OK, _UNIMPLEMENTED = "0", "12"
_READ_BYTES = 16 * 1024
# An answer is a few bytes; a server that sends more is not asked for the rest.
_MAX_ANSWER_BYTES = 64 * 1024


@dataclass
class _Answer:
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False
    broken: str = ""


async def probe_grpc(address: str, port: int, service: str, timeout_s: float) -> Result:
    """Ask for the health of a service, "" for the server's own."""
    host = f"[{address}]" if ":" in address else address
    target = f"{host}:{port}"
    connected = False
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(address, port)
            connected = True
            try:
                return _verdict(await _call(reader, writer, target, service))
            finally:
                writer.close()
    except TimeoutError:
        if connected:
            return Result(False, f"timeout: health rpc did not complete within {timeout_s:g}s")
        return Result(False, f'timeout: failed to connect service "{target}" within {timeout_s:g}s')
    except OSError as error:
        why = connection_error(error, address, port)
        if connected:
            return Result(False, f"error: health rpc probe failed: {why}")
        return Result(False, f'error: failed to connect service at "{target}": {why}')


async def _call(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, authority: str, service: str
) -> _Answer:
    # Imported by the first probe: most nodes have none, and every node starts.
    from h2.connection import H2Connection
    from h2.exceptions import ProtocolError

    connection, answer = H2Connection(), _Answer()
    try:
        connection.initiate_connection()
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, _request_headers(authority))
        connection.send_data(stream, _framed(_check_request(service)), end_stream=True)
        while not (answer.ended or answer.broken):
            writer.write(connection.data_to_send())
            await writer.drain()
            data = await reader.read(_READ_BYTES)
            if not data:
                answer.broken = "the server closed the connection"
                break
            for event in connection.receive_data(data):
                _take(connection, event, answer)
    except ProtocolError as error:
        answer.broken = f"the server does not speak HTTP/2: {error}"
    return answer


def _request_headers(authority: str) -> list[tuple[str, str]]:
    return [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/grpc.health.v1.Health/Check"),
        (":authority", authority),
        ("content-type", "application/grpc"),
        ("user-agent", USER_AGENT),
        ("te", "trailers"),
    ]


def _check_request(service: str) -> bytes:
    """HealthCheckRequest{service}: field 1, a string."""
    text = service.encode()
    if not text:
        return b""
    return b"\x0a" + encode_varint(len(text)) + text


def _framed(message: bytes) -> bytes:
    """A message as gRPC sends it: not compressed, its length before it."""
    return b"\x00" + len(message).to_bytes(4, "big") + message


def _take(connection: H2Connection, event: Event, answer: _Answer) -> None:
    from h2 import events

    match event:
        case events.ResponseReceived() | events.TrailersReceived():
            answer.headers.update(
                (name.decode(errors="replace"), value.decode(errors="replace"))
                for name, value in event.headers
            )
        case events.DataReceived():
            answer.body += event.data
            if len(answer.body) > _MAX_ANSWER_BYTES:
                answer.broken = "the answer is too long"
            connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        case events.StreamEnded():
            answer.ended = True
        case events.StreamReset():
            answer.broken = f"the server reset the call (code {int(event.error_code or 0)})"
        case events.ConnectionTerminated():
            answer.broken = f"the server ended the connection (code {int(event.error_code or 0)})"


def _verdict(answer: _Answer) -> Result:
    code = answer.headers.get("grpc-status", "")
    if answer.broken and not code:
        return Result(False, f"error: health rpc probe failed: {answer.broken}")
    if not code:
        status = answer.headers.get(":status", "")
        why = f"the answer has no grpc-status (HTTP status {status})"
        return Result(False, f"error: health rpc probe failed: {why}")
    if code != _OK:
        told = unquote(answer.headers.get("grpc-message", ""))
        if code == _UNIMPLEMENTED:
            return Result(
                False,
                "error: this server does not implement the grpc health protocol "
                f"(grpc.health.v1.Health): {told}",
            )
        return Result(False, f"error: health rpc probe failed: code {code}: {told}")
    status_number = _status_of(bytes(answer.body))
    if status_number == _SERVING:
        return Result(True)
    named = _STATUSES.get(status_number, str(status_number))
    return Result(False, f'service unhealthy (responded with "{named}")')


def _status_of(body: bytes) -> int:
    """The status in a framed HealthCheckResponse: field 1, an enum; 0 when it is not there."""
    message = body[5:]
    if body[:1] != b"\x00" or len(message) < 2 or message[0] != 0x08:
        return 0
    number = 0
    for shift, byte in enumerate(message[1:6]):
        number |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            break
    return number
