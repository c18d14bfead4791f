"""What a filter can ask an entry: its variables, under the names that they have in KFL2.

KFL2 is Kubeshark's language, https://docs.kubeshark.com/en/v2/kfl2. Here are those
of its names that the tap can answer, and the entry's own
(docs/reference/entries.md). What an entry does not have is the default value of
its type, as in KFL2, so `status_code >= 500` is false for what has no status.
docs/reference/filters.md is made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pilotfish.tap import protocols
from pilotfish.tap.filter.shapes import (
    LOOK_UP,
    NODE,
    PEER,
    REQUEST,
    RESPONSE,
    TIMING,
    Entry,
    Get,
)
from pilotfish.tap.filter.types import (
    BOOL,
    BYTES,
    INT,
    STRING,
    STRING_MAP,
    STRINGS,
    TIMESTAMP,
    Type,
    default_of,
)
from pilotfish.tap.filter.values import timestamp_of_text


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that stands alone.

    Attributes:
        name, type, doc: what it is.
        get: its value for an entry.
        group: where the reference lists it.
        values: the only values that it has; empty: any.
    """

    name: str
    type: Type
    doc: str
    get: Get
    group: str
    values: tuple[str, ...] = ()


# --- how values are found ------------------------------------------------------------------


def _key(key: str, kind: Type) -> Get:
    default = default_of(kind)

    def get(entry: Entry) -> Any:
        try:
            found = entry[key]
        except KeyError:
            return default
        return default if found is None else found

    return get


def _message(side: str, key: str, kind: Type, protocol: str) -> Get:
    """A field of the request or response, for entries of one protocol."""
    default = default_of(kind)

    def get(entry: Entry) -> Any:
        if entry["protocol"] != protocol:
            return default
        found = (entry[side] or {}).get(key)
        return default if found is None else found

    return get


def _is(*names: str) -> Get:
    if len(names) == 1:
        (name,) = names
        return lambda entry: entry["protocol"] == name
    return lambda entry: entry["protocol"] in names


def _has(protocol: str, side: str) -> Get:
    return lambda entry: entry["protocol"] == protocol and entry[side] is not None


def _size(protocol: str, *sides: str) -> Get:
    def get(entry: Entry) -> int:
        if entry["protocol"] != protocol:
            return 0
        return sum(entry["bytes"][side] for side in sides)

    return get


_HTTP = ("http", "grpc")
_endpoint_of = _key("endpoint", PEER)


def _dst(entry: Entry) -> Any:
    """What the client asked for, with the Pod that was chosen and the name that led there."""
    asked, chosen, look_up = entry["dst"], _endpoint_of(entry), _look_up(entry)
    pod = chosen.get("pod")
    if pod is None and not look_up:
        return asked
    more = {"pod": pod} if pod is not None else {}
    return {**asked, **more, "dns": look_up.get("name", "").removesuffix(".")}


_look_up = _key("dns", LOOK_UP)
_conn = _key("conn", STRING_MAP)
_src = _key("src", PEER)


def _http_version(entry: Entry) -> str:
    if entry["protocol"] not in _HTTP:
        return ""
    return str((entry["request"] or entry["response"] or {}).get("version", ""))


def _query_string(entry: Entry) -> Any:
    if entry["protocol"] not in _HTTP:
        return {}
    return (entry["request"] or {}).get("query") or {}


def _http_part(side: str, of_body: bool) -> Get:
    """Bytes of the body, or of the headers and what frames them."""

    def get(entry: Entry) -> int:
        if entry["protocol"] not in _HTTP:
            return 0
        message = entry[side] or {}
        body = message.get("body_size", 0)
        return int(body if of_body else max(message.get("size", 0) - body, 0))

    return get


def _questions(entry: Entry) -> list[str]:
    said = _dns_message(entry)
    return [said["name"].removesuffix(".")] if said.get("name") else []


def _question_types(entry: Entry) -> list[str]:
    said = _dns_message(entry)
    return [said["type"]] if said.get("type") else []


def _dns_message(entry: Entry) -> Any:
    if entry["protocol"] != "dns":
        return {}
    return entry["request"] or entry["response"] or {}


def _answers(entry: Entry) -> list[str]:
    if entry["protocol"] != "dns":
        return []
    answers = (entry["response"] or {}).get("answers", ())
    return [answer["data"].removesuffix(".") for answer in answers]


def _redis_command(entry: Entry) -> str:
    request = entry["request"] if entry["protocol"] == "redis" else None
    return " ".join((request["command"], *request["args"])) if request else ""


def _redis_key(entry: Entry) -> str:
    return str(_message("request", "key", STRING, "redis")(entry))[:64]


def _postgresql_success(entry: Entry) -> bool:
    return entry["protocol"] == "postgresql" and bool(entry["response"]) and not entry["error"]


def _grpc_status(entry: Entry) -> int:
    if entry["protocol"] != "grpc":
        return -1
    status = (entry["response"] or {}).get("grpc_status")
    return -1 if status is None else status


def _payload(protocol: str) -> Get:
    def get(entry: Entry) -> bytes:
        if entry["protocol"] != protocol:
            return b""
        return bytes.fromhex((entry["request"] or {}).get("hex", ""))

    return get


def _tls_summary(entry: Entry) -> str:
    if entry["protocol"] != "tls":
        return ""
    return "ServerHello" if entry["response"] is not None else "ClientHello"


def _tls_info(entry: Entry) -> str:
    if entry["protocol"] != "tls":
        return ""
    response = entry["response"] or {}
    return ", ".join(filter(None, (response.get("version"), response.get("cipher"))))


def _ws_opcode(entry: Entry) -> str:
    if entry["protocol"] != "websocket":
        return ""
    return str((entry["request"] or entry["response"] or {}).get("method", ""))


def _in_pods(entry: Entry) -> list[str]:
    return [
        each["name"] for each in (_src(entry).get("pod"), _endpoint_of(entry).get("pod")) if each
    ]


def _in_services(entry: Entry) -> list[str]:
    service = entry["dst"].get("service")
    return [service["name"]] if service else []


def _in_namespaces(entry: Entry) -> list[str]:
    parts = (
        _src(entry).get("pod"),
        _endpoint_of(entry).get("pod"),
        entry["dst"].get("service"),
    )
    return list(dict.fromkeys(part["namespace"] for part in parts if part))


def _labels(peer: Get) -> Get:
    return lambda entry: (peer(entry).get("pod") or {}).get("labels") or {}


def _node_of(peer: Get) -> Get:
    def get(entry: Entry) -> str:
        found = peer(entry)
        return str(
            (found.get("pod") or {}).get("node") or (found.get("node") or {}).get("name", "")
        )

    return get


def _conn_bytes(side: str, key: str) -> Get:
    return lambda entry: _conn(entry).get(key, {}).get(side, 0)


def _look_ups(entry: Entry) -> list[str]:
    name = _look_up(entry).get("name", "").removesuffix(".")
    return [name] if name else []


def _failure(*of: str) -> Get:
    return lambda entry: entry["failure"] if entry["protocol"] in of else ""


# --- the table -----------------------------------------------------------------------------


def _plain(group: str, *rows: tuple[str, Type, str]) -> list[Variable]:
    """Variables that are keys of the entry."""
    return [Variable(name, kind, doc, _key(name, kind), group) for name, kind, doc in rows]


def _worked_out(group: str, *rows: tuple[str, Type, str, Get]) -> list[Variable]:
    return [Variable(name, kind, doc, get, group) for name, kind, doc, get in rows]


_VARIABLES: tuple[Variable, ...] = (
    Variable(
        "protocol",
        STRING,
        "what is spoken",
        _key("protocol", STRING),
        "Every entry",
        protocols.NAMES,
    ),
    *_plain(
        "Every entry",
        ("method", STRING, "HTTP method, kind of DNS question, Redis command, SQL verb, …"),
        ("status_code", INT, "HTTP status; RCODE of a DNS answer; 0 without"),
        ("status", STRING, "`200`, `NXDOMAIN`, `OK`, `refused`, …"),
        ("error", BOOL, "whether the answer is an error, or there is none"),
        ("failure", STRING, "why there is no whole answer; see the entry's field"),
        ("elapsed_time", INT, "µs from the first byte of the request to the last of the answer"),
        ("timing", TIMING, "the parts of that time"),
        ("summary", STRING, "the line that people see"),
        ("id", STRING, "number of the entry on its node: `node-1-000123`"),
        ("node_name", STRING, "the node that saw it"),
        ("probe", BOOL, "whether it is a kubelet's probe"),
        ("request", REQUEST, "what was asked"),
        ("response", RESPONSE, "what was answered"),
    ),
    *_worked_out(
        "Every entry",
        (
            "timestamp",
            TIMESTAMP,
            "when the request was seen first",
            lambda entry: timestamp_of_text(entry["timestamp"]),
        ),
        ("node", NODE, "the node that saw it", lambda entry: {"name": entry["node_name"]}),
        ("request_size", INT, "bytes of the request", lambda entry: entry["bytes"]["request"]),
        ("response_size", INT, "bytes of the answer", lambda entry: entry["bytes"]["response"]),
    ),
    *_worked_out(
        "Protocols",
        ("http", BOOL, "HTTP/1.x or HTTP/2, gRPC too", _is(*_HTTP)),
        ("grpc", BOOL, "gRPC", _is("grpc")),
        ("ws", BOOL, "a message on a WebSocket", _is("websocket")),
        ("dns", BOOL, "DNS", _is("dns")),
        ("redis", BOOL, "Redis", _is("redis")),
        ("postgresql", BOOL, "PostgreSQL", _is("postgresql")),
        ("tls", BOOL, "the handshake of TLS", _is("tls")),
        ("tcp", BOOL, "a TCP connection that speaks none of them", _is("tcp")),
        ("udp", BOOL, "a UDP flow that speaks none of them", _is("udp")),
        ("conn", BOOL, "a plain connection or flow, as one entry", _is("tcp", "udp")),
        ("flow", BOOL, "the same", _is("tcp", "udp")),
        ("tcp_conn", BOOL, "as `tcp`", _is("tcp")),
        ("tcp_flow", BOOL, "as `tcp`", _is("tcp")),
        ("udp_conn", BOOL, "as `udp`", _is("udp")),
        ("udp_flow", BOOL, "as `udp`", _is("udp")),
    ),
    *_worked_out(
        "Who",
        ("src", PEER, "the client", _src),
        ("dst", PEER, "what it asked for, and `dst.pod`, which was chosen", _dst),
        ("endpoint", PEER, "what was chosen", _endpoint_of),
        ("namespaces", STRINGS, "namespaces of client, Service and chosen Pod", _in_namespaces),
        ("pods", STRINGS, "names of the client Pod and the chosen one", _in_pods),
        ("services", STRINGS, "name of the Service", _in_services),
        ("local_labels", STRING_MAP, "labels of the client Pod", _labels(_src)),
        ("remote_labels", STRING_MAP, "labels of the chosen Pod", _labels(_endpoint_of)),
        ("local_node_name", STRING, "node of the client Pod", _node_of(_src)),
        ("remote_node_name", STRING, "node of the chosen Pod", _node_of(_endpoint_of)),
        ("look_up", LOOK_UP, "the DNS look-up that led to the connection", _look_up),
        ("dns_resolutions", STRINGS, "the name in it", _look_ups),
    ),
    *_plain(
        "HTTP",
        ("url", STRING, "target of the request, with its query"),
        ("path", STRING, "path of the request, without query; also of a WebSocket"),
    ),
    *_worked_out(
        "HTTP",
        ("http_version", STRING, "`HTTP/1.1`, `HTTP/2`", _http_version),
        ("query_string", STRING_MAP, "parameters of the query", _query_string),
        (
            "request_headers_size",
            INT,
            "bytes of the head, framing too",
            _http_part("request", False),
        ),
        ("request_body_size", INT, "bytes", _http_part("request", True)),
        ("response_headers_size", INT, "bytes, framing too", _http_part("response", False)),
        ("response_body_size", INT, "bytes", _http_part("response", True)),
    ),
    *_worked_out(
        "gRPC",
        ("grpc_method", STRING, "`SayHello`", _message("request", "rpc", STRING, "grpc")),
        (
            "grpc_service",
            STRING,
            "`helloworld.Greeter`",
            _message("request", "service", STRING, "grpc"),
        ),
        ("grpc_status", INT, "0 is OK; -1 without one", _grpc_status),
    ),
    *_worked_out(
        "DNS",
        ("dns_questions", STRINGS, "names that are asked for", _questions),
        ("dns_question_types", STRINGS, "`A`, `AAAA`, `SRV`, …", _question_types),
        ("dns_answers", STRINGS, "addresses, names, … that are answered", _answers),
        ("dns_request", BOOL, "whether the query was seen", _has("dns", "request")),
        ("dns_response", BOOL, "whether there is an answer", _has("dns", "response")),
        ("dns_request_length", INT, "bytes", _size("dns", "request")),
        ("dns_response_length", INT, "bytes", _size("dns", "response")),
        ("dns_total_size", INT, "bytes", _size("dns", "request", "response")),
    ),
    *_worked_out(
        "WebSocket",
        ("ws_opcode", STRING, "`text`, `binary`, `close`", _ws_opcode),
        ("ws_request", BOOL, "whether the client sent it", _has("websocket", "request")),
        ("ws_response", BOOL, "whether the server sent it", _has("websocket", "response")),
        (
            "ws_request_payload_data",
            STRING,
            "what the client said",
            _message("request", "body", STRING, "websocket"),
        ),
        (
            "ws_request_payload_length",
            INT,
            "bytes",
            _message("request", "body_size", INT, "websocket"),
        ),
        (
            "ws_response_payload_length",
            INT,
            "bytes",
            _message("response", "body_size", INT, "websocket"),
        ),
    ),
    *_worked_out(
        "Redis",
        ("redis_type", STRING, "`GET`, `SET`, …", _message("request", "command", STRING, "redis")),
        ("redis_command", STRING, "the whole command", _redis_command),
        ("redis_key", STRING, "the key, at most 64 characters", _redis_key),
        ("redis_request_size", INT, "bytes", _size("redis", "request")),
        ("redis_response_size", INT, "bytes", _size("redis", "response")),
        ("redis_total_size", INT, "bytes", _size("redis", "request", "response")),
    ),
    *_worked_out(
        "PostgreSQL",
        (
            "postgresql_command",
            STRING,
            "`SELECT`, `INSERT`, …",
            _message("request", "method", STRING, "postgresql"),
        ),
        (
            "postgresql_query",
            STRING,
            "the statement",
            _message("request", "query", STRING, "postgresql"),
        ),
        (
            "postgresql_database",
            STRING,
            "of a log-in",
            _message("request", "database", STRING, "postgresql"),
        ),
        (
            "postgresql_user",
            STRING,
            "of a log-in",
            _message("request", "user", STRING, "postgresql"),
        ),
        ("postgresql_success", BOOL, "answered without an error", _postgresql_success),
        (
            "postgresql_error_code",
            STRING,
            "SQLSTATE: `42P01`",
            _message("response", "error_code", STRING, "postgresql"),
        ),
        (
            "postgresql_error_message",
            STRING,
            "what the server said",
            _message("response", "error_message", STRING, "postgresql"),
        ),
        ("postgresql_request_size", INT, "bytes", _size("postgresql", "request")),
        ("postgresql_response_size", INT, "bytes", _size("postgresql", "response")),
        ("postgresql_total_size", INT, "bytes", _size("postgresql", "request", "response")),
    ),
    *_worked_out(
        "TLS",
        ("tls_summary", STRING, "`ClientHello` or `ServerHello`: how far it came", _tls_summary),
        ("tls_info", STRING, "version and cipher", _tls_info),
        ("tls_request_size", INT, "bytes", _size("tls", "request")),
        ("tls_response_size", INT, "bytes", _size("tls", "response")),
        ("tls_total_size", INT, "bytes", _size("tls", "request", "response")),
    ),
    *_worked_out(
        "Connections",
        ("conn_id", STRING, "tells connections apart", lambda entry: _conn(entry).get("id", "")),
        (
            "conn_first",
            BOOL,
            "the first exchange of its connection",
            lambda entry: bool(_conn(entry).get("first")),
        ),
        (
            "conn_whole",
            BOOL,
            "whether its beginning was captured",
            lambda entry: bool(_conn(entry).get("whole")),
        ),
        (
            "conn_state",
            STRING,
            "`open`, `closed`, `reset`, … when the entry was made",
            lambda entry: _conn(entry).get("state", ""),
        ),
        ("conn_local_pkts", INT, "packets of the client", _conn_bytes("request", "packets")),
        ("conn_local_bytes", INT, "bytes of the client", _conn_bytes("request", "bytes")),
        ("conn_remote_pkts", INT, "packets of the server", _conn_bytes("response", "packets")),
        ("conn_remote_bytes", INT, "bytes of the server", _conn_bytes("response", "bytes")),
        ("tcp_error_type", STRING, "as `failure`, of a plain connection", _failure("tcp")),
        ("tcp_payload", BYTES, "how the client's side begins", _payload("tcp")),
        ("udp_payload", BYTES, "how the client's side begins", _payload("udp")),
        ("udp_length", INT, "bytes of both sides", _size("udp", "request", "response")),
    ),
)

# A protocol that was added has at least a name.
_SPOKEN = tuple(
    Variable(name, BOOL, f'as `protocol == "{name}"`', _is(name), "Protocols")
    for name in protocols.NAMES
)
VARIABLES: Mapping[str, Variable] = {
    variable.name: variable for variable in (*_SPOKEN, *_VARIABLES)
}
