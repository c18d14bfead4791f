"""Exchanges of every protocol between a Pod and a Service of a small cluster, and their entries."""

from __future__ import annotations

import contextlib
import ssl
import struct
from typing import Any

import dns.message
import dns.rrset
import h2.config
import h2.connection

from pilotfish.tap import protocols
from pilotfish.tap.connection import CLIENT, SERVER, Connection
from pilotfish.tap.conntrack import Endpoint
from pilotfish.tap.conversation import Context, Conversation
from pilotfish.tap.datagrams import Flow
from pilotfish.tap.dissectors.dns import DnsDatagrams
from pilotfish.tap.dissectors.http_message import HttpMessage
from pilotfish.tap.dissectors.websocket import WebSocket
from pilotfish.tap.entry import LazyEntry
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.identity import Identity
from support.workloads import make_node, make_pod, make_service

AT_S = 1_700_000_000.0  # 2023-11-14T22:13:20Z
WEB, API, NODE = "10.244.0.5", "10.244.1.7", "192.168.64.2"
SERVICE = "10.96.0.50"
CHOSEN = Endpoint(b"\x0a\xf4\x01\x07", 8080)

GET = b"GET /demo/hello?who=me HTTP/1.1\r\nHost: api\r\nCookie: a=1; b=2\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
DB = "go-demo-2-db.default.svc.cluster.local."

Said = tuple[int, bytes]


def cluster() -> Identity:
    """Pod web on node-1, Pod api-1 on node-2, Service api."""
    names = Identity(["192.168.64.1"])
    node = make_node("node-1", spec={"podCIDR": "10.244.0.0/24"})
    node["status"]["addresses"] = [{"type": "InternalIP", "address": NODE}]
    names.node_changed(None, node, AT_S - 100)
    for name, ip, on in (("web", WEB, "node-1"), ("api-1", API, "node-2")):
        pod = make_pod(name, ip=ip, ready=True, node=on, labels={"app": name.split("-")[0]})
        pod["metadata"]["creationTimestamp"] = "2023-11-14T22:00:00Z"
        names.pod_changed(None, pod, AT_S - 50)
    names.service_changed(None, make_service("api"), AT_S - 50)
    return names


def connection(client: str = WEB, server: str = SERVICE, port: int = 80) -> Connection:
    """An established connection, 100 µs old when something is said."""
    made = Connection(_packed(client), 40000, _packed(server), port, AT_S)
    made.whole, made.established_s = True, AT_S + 0.0001
    return made


def exchanges(*said: Said, on: Connection | None = None, end: str = "") -> list[Exchange]:
    """What comes of a conversation, in which every message comes a millisecond later."""
    emitted: list[Exchange] = []
    over = on or connection()
    over.listener = Conversation(over, Context(emitted.append, over, protocols))
    time_s = AT_S
    for side, payload in said:
        time_s += 0.001
        over.listener.data(side, payload, time_s)
    if end:
        over.end = end
        over.listener.ended(end, time_s)
    return emitted


def http(request: bytes = GET, response: bytes = OK) -> Exchange:
    """A request and its answer."""
    return exchanges((CLIENT, request), (SERVER, response))[0]


def grpc(status: int = 0, message: str = "") -> Exchange:
    """A call of helloworld.Greeter/SayHello."""
    client = h2.connection.H2Connection()
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    client.initiate_connection()
    server.initiate_connection()
    client.send_headers(
        1,
        [
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "greeter"),
            (":path", "/helloworld.Greeter/SayHello"),
            ("content-type", "application/grpc"),
        ],
    )
    client.send_data(1, b"\0\0\0\0\3abc", end_stream=True)
    asked = client.data_to_send()
    server.receive_data(asked)
    server.send_headers(1, [(":status", "200"), ("content-type", "application/grpc")])
    trailers = [("grpc-status", str(status)), ("grpc-message", message)]
    server.send_headers(1, trailers, end_stream=True)
    return exchanges((CLIENT, asked), (SERVER, server.data_to_send()))[0]


def look_up(*addresses: str, name: str = DB, rcode: int = 0, kind: str = "A") -> Exchange:
    """A look-up over UDP."""
    emitted: list[Exchange] = []
    flow = Flow(_packed(WEB), 50000, _packed(SERVICE), 53, AT_S)
    dissector = DnsDatagrams(flow, emitted.append)
    query = dns.message.make_query(name, kind, id=7)
    answer = dns.message.make_response(query)
    answer.set_rcode(rcode)
    for address in addresses:
        answer.answer.append(dns.rrset.from_text(name, 30, "IN", kind, address))
    dissector.datagram(CLIENT, query.to_wire(), AT_S + 0.001)
    dissector.datagram(SERVER, answer.to_wire(), AT_S + 0.002)
    return emitted[0]


def redis(reply: bytes, *words: bytes) -> Exchange:
    """A command and its reply."""
    parts = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
    return exchanges((CLIENT, b"*%d\r\n%s" % (len(words), parts)), (SERVER, reply))[0]


def postgresql(query: str, *answers: bytes) -> Exchange:
    """A statement and what came of it."""
    startup = struct.pack("!I", 196608) + b"user\0me\0database\0shop\0\0"
    ready = pg_message("Z", b"I")
    return exchanges(
        (CLIENT, struct.pack("!I", len(startup) + 4) + startup),
        (SERVER, pg_message("R", struct.pack("!I", 0)) + ready),
        (CLIENT, pg_message("Q", query.encode() + b"\0")),
        (SERVER, b"".join(answers) + ready),
    )[-1]


def pg_message(kind: str, payload: bytes = b"") -> bytes:
    """A message of PostgreSQL's protocol."""
    return kind.encode() + struct.pack("!I", len(payload) + 4) + payload


PG_COLUMNS = pg_message("T", struct.pack("!H", 1) + b"id\0" + bytes(18))
PG_ROW = pg_message("D", struct.pack("!HI", 1, 1) + b"7")
PG_ERROR = pg_message("E", b"SERROR\0VERROR\0C42P01\0Mno such table\0\0")


def websocket(side: int, frame: bytes) -> Exchange:
    """A message on a WebSocket."""
    emitted: list[Exchange] = []
    over = connection()
    context = Context(emitted.append, over, protocols)
    opened = HttpMessage(b"GET /chat HTTP/1.1\r\nHost: api", 40)
    WebSocket(over, context, opened, "").data(side, frame, AT_S)
    return emitted[0]


def tls(*answered: bytes) -> Exchange:
    """A handshake for api.test that went no further than its first messages."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="api.test")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    said = [(SERVER, answer) for answer in answered]
    return exchanges((CLIENT, outgoing.read()), *said, end="closed")[0]


TLS_ALERT = b"\x15\x03\x03\x00\x02\x02\x28"


def failed(how: str) -> Exchange:
    """A connection on which nothing was ever said."""
    over = connection()
    over.established_s = None
    return exchanges(on=over, end=how)[0]


def entry_of(
    exchange: Exchange, endpoint: Endpoint | None = CHOSEN, names: Identity | None = None
) -> LazyEntry:
    """The entry that node-1 makes of an exchange."""
    return LazyEntry(exchange, names or cluster(), endpoint, "node-1", 7)


def whole(exchange: Exchange, endpoint: Endpoint | None = CHOSEN) -> dict[str, Any]:
    """The same with all its parts."""
    return entry_of(exchange, endpoint).whole()


def _packed(address: str) -> bytes:
    return bytes(map(int, address.split(".")))
