"""The objects that a filter can look into: peers, Pods, requests, answers, and their fields.

Each field says its type, what it is, and how it is found in an entry's JSON
(docs/reference/entries.md); docs/reference/filters.md is made from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pilotfish.cel.types import (
    BOOL,
    DYN,
    INT,
    STRING,
    STRING_MAP,
    STRINGS,
    Field,
    ObjectType,
    Type,
    default_of,
    list_of,
)

Entry = Mapping[str, Any]
Get = Callable[[Entry], Any]


def _field(key: str, kind: Type, doc: str) -> tuple[str, Field]:
    default = default_of(kind)

    def get(value: Mapping[str, Any]) -> Any:
        found = value.get(key)
        return default if found is None else found

    return key, Field(kind, doc, get, lambda value: value.get(key) is not None)


def _derived(key: str, kind: Type, doc: str, get: Get, present: Get) -> tuple[str, Field]:
    return key, Field(kind, doc, get, lambda value: bool(present(value)))


def _object(name: str, *fields: tuple[str, Field]) -> ObjectType:
    return ObjectType(name, fields=dict(fields))


OWNER = _object(
    "Owner",
    _field("kind", STRING, "`Deployment`, `ReplicaSet`, …"),
    _field("name", STRING, "its name"),
)
POD = _object(
    "Pod",
    _field("name", STRING, "its name"),
    _field("namespace", STRING, "its namespace"),
    _field("labels", STRING_MAP, "its labels"),
    _field("node", STRING, "the node it runs on"),
    _field("owner", OWNER, "what controls it; the Deployment rather than its ReplicaSet"),
)
SERVICE = _object(
    "Service",
    _field("name", STRING, "its name"),
    _field("namespace", STRING, "its namespace"),
    _field("port", STRING, "name of the port, or its number"),
    _field("type", STRING, "`ClusterIP`, `NodePort`, `LoadBalancer`"),
    _field("labels", STRING_MAP, "its labels"),
)
NODE = _object("Node", _field("name", STRING, "its name"))


def _inside(peer: Entry) -> Any:
    return peer.get("pod") or peer.get("service") or {}


def _pod(peer: Entry) -> Any:
    """The Pod; where none is known, the Service lends it name and namespace, as in KFL2."""
    found = peer.get("pod")
    if found is not None:
        return found
    service = peer.get("service")
    if service is None:
        return {}
    return {"name": service["name"], "namespace": service["namespace"]}


PEER = _object(
    "Peer",
    _field("ip", STRING, "address"),
    _field("port", INT, "port"),
    _field("name", STRING, "of the Pod, node or Service; `host`; else the address"),
    _field("kind", STRING, "`pod`, `node`, `host`, `service` or `external`"),
    _derived("pod", POD, "the Pod; of `dst` the one that was chosen", _pod, lambda p: p.get("pod")),
    _field("service", SERVICE, "the Service that was asked for"),
    _field("node", NODE, "the node, where the address is a node's own"),
    _derived(
        "namespace",
        STRING,
        "of the Pod, or else of the Service",
        lambda peer: _inside(peer).get("namespace", ""),
        _inside,
    ),
    _field("dns", STRING, "the name whose look-up led here (`dst` only)"),
)
LOOK_UP = _object(
    "LookUp",
    _field("name", STRING, "the name that was asked for"),
    _field("answer", STRING, "what it was answered"),
    _field("id", STRING, "id of the look-up's entry"),
)
TIMING = _object(
    "Timing",
    _field("connect", INT, "µs of the handshake, of a connection's first request"),
    _field("wait", INT, "µs from the request to the first byte of the answer"),
    _field("transfer", INT, "µs from the first byte of the answer to its last"),
)
RECORD = _object(
    "Record",
    _field("name", STRING, "whose record it is"),
    _field("type", STRING, "`A`, `CNAME`, …"),
    _field("ttl", INT, "seconds for which it may be kept"),
    _field("data", STRING, "the address, name, …"),
)

_BOTH = (
    _field("size", INT, "bytes on the wire"),
    _field("version", STRING, "HTTP, TLS: `HTTP/1.1`, `TLS 1.3`"),
    _field("headers", STRING_MAP, "HTTP, gRPC: by lower-case name"),
    _field("trailers", STRING_MAP, "HTTP/2, gRPC: fields behind the body"),
    _field("body", STRING, "HTTP, WebSocket: beginning of the body, unpacked"),
    _field("body_hex", STRING, "HTTP: how a body begins that is no text, in hexadecimal"),
    _field("body_size", INT, "HTTP, WebSocket: bytes of the body"),
    _derived(
        "cookies",
        STRING_MAP,
        "HTTP: cookies by name",
        lambda message: _cookies(message),
        lambda message: _cookies(message),
    ),
    _field("method", STRING, "as `method`"),
    _field("path", STRING, "HTTP, WebSocket: as `path`"),
    _field("messages", INT, "gRPC: how many"),
    _field("message_sizes", list_of(INT), "gRPC: their bytes"),
    _field("decoded", list_of(DYN), "gRPC: the messages' fields, see the entry"),
    _field("unknown_headers", INT, "HTTP/2: fields that referred to what was not captured"),
    _field("http2_error", STRING, "HTTP/2: why the stream was reset: `CANCEL`"),
    _field("fragments", INT, "WebSocket: frames of the message"),
    _field("compressed", BOOL, "WebSocket: whether the message was"),
    _field("close_code", INT, "WebSocket: 1000, …"),
    _field("close_reason", STRING, "WebSocket: what was said with it"),
    _field("id", INT, "DNS: of the query"),
    _field("opcode", STRING, "DNS: `QUERY`"),
    _field("name", STRING, "DNS: what is asked for, with its dot at the end"),
    _field("type", STRING, "DNS: `A`, …; Redis: kind of the reply"),
    _field("class", STRING, "DNS: `IN`"),
    _field("alert", STRING, "TLS: what is wrong"),
    _field("text", STRING, "TCP, UDP: how it begins"),
    _field("hex", STRING, "TCP, UDP: the same in hexadecimal"),
)
REQUEST = _object(
    "Request",
    *_BOTH,
    _field("url", STRING, "HTTP: as `url`"),
    _field("query", DYN, "HTTP: map of the parameters; PostgreSQL: the statement"),
    _field("service", STRING, "gRPC: `helloworld.Greeter`"),
    _field("rpc", STRING, "gRPC: `SayHello`"),
    _field("recursion_desired", BOOL, "DNS"),
    _field("command", STRING, "Redis: `GET`"),
    _field("key", STRING, "Redis: the first argument"),
    _field("args", STRINGS, "Redis: the arguments"),
    _field("parameters", list_of(DYN), "PostgreSQL: values of the statement's parameters"),
    _field("user", STRING, "PostgreSQL: who logs in"),
    _field("database", STRING, "PostgreSQL: to which database"),
    _field("settings", STRING_MAP, "PostgreSQL: of the log-in"),
    _field("copied_bytes", INT, "PostgreSQL: of COPY"),
    _field("server_name", STRING, "TLS: SNI"),
    _field("versions", STRINGS, "TLS: that the client offers"),
    _field("ciphers", STRINGS, "TLS: that the client offers"),
    _field("alpn", STRINGS, "TLS: protocols that the client offers"),
)
RESPONSE = _object(
    "Response",
    *_BOTH,
    _field("status_code", INT, "HTTP: as `status_code`"),
    _field("reason", STRING, "HTTP: `Not Found`"),
    _field("status", STRING, "as `status`"),
    _field("error", BOOL, "Redis, PostgreSQL: whether it is an error"),
    _field("grpc_status", INT, "gRPC: 0 is OK"),
    _field("grpc_status_name", STRING, "gRPC: `NOT_FOUND`"),
    _field("grpc_message", STRING, "gRPC: what was said with it"),
    _field("rcode", STRING, "DNS: `NOERROR`, `NXDOMAIN`"),
    _field("authoritative", BOOL, "DNS"),
    _field("truncated", BOOL, "DNS: to be asked again over TCP"),
    _field("answers", list_of(RECORD), "DNS"),
    _field("authority", list_of(RECORD), "DNS"),
    _field("additional", list_of(RECORD), "DNS"),
    _field("value", DYN, "Redis: the reply"),
    _field("rows", INT, "PostgreSQL: how many"),
    _field("columns", STRINGS, "PostgreSQL: their names"),
    _field("commands", STRINGS, "PostgreSQL: what was done: `SELECT 3`"),
    _field("error_code", STRING, "PostgreSQL: SQLSTATE"),
    _field("error_message", STRING, "PostgreSQL"),
    _field("severity", STRING, "PostgreSQL: `ERROR`"),
    _field("channel", STRING, "PostgreSQL: of a notification"),
    _field("payload", STRING, "PostgreSQL: of a notification"),
    _field("cipher", STRING, "TLS: that was chosen"),
    _field("alpn", STRING, "TLS: protocol that was chosen (encrypted since 1.3)"),
    _field("decrypted", BOOL, "TLS: whether its secrets were given"),
)
OBJECTS = (PEER, POD, OWNER, SERVICE, NODE, LOOK_UP, TIMING, REQUEST, RESPONSE, RECORD)


def _cookies(message: Entry) -> dict[str, str]:
    """Cookies of a request (RFC 6265, 4.2), or set by a response (4.1; attributes left out)."""
    headers = message.get("headers") or {}
    if "set-cookie" in headers:
        pairs = [each.split(";", 1)[0] for each in headers["set-cookie"].split(", ")]
    else:
        pairs = headers.get("cookie", "").split(";")
    named = (pair.strip().partition("=") for pair in pairs if "=" in pair)
    return {name: value for name, _, value in named}
