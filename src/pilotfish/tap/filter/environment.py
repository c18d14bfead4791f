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

from pilotfish.cel import environment as cel
from pilotfish.cel.types import BOOL, BYTES, INT, STRING, STRING_MAP, STRINGS, TIMESTAMP, Type
from pilotfish.cel.values import timestamp_of_text
from pilotfish.tap import protocols
from pilotfish.tap.filter import find
from pilotfish.tap.filter.shapes import LOOK_UP, NODE, PEER, REQUEST, RESPONSE, TIMING, Get


@dataclass(frozen=True, slots=True)
class Variable(cel.Variable):
    """A name that stands alone; `group` is where the reference lists it."""

    group: str = ""


def _plain(group: str, *rows: tuple[str, Type, str]) -> list[Variable]:
    """Variables that are keys of the entry."""
    return [
        Variable(name, kind, doc, find.key(name, kind), group=group) for name, kind, doc in rows
    ]


def _worked_out(group: str, *rows: tuple[str, Type, str, Get]) -> list[Variable]:
    return [Variable(name, kind, doc, get, group=group) for name, kind, doc, get in rows]


_VARIABLES: tuple[Variable, ...] = (
    Variable(
        "protocol",
        STRING,
        "what is spoken",
        find.key("protocol", STRING),
        protocols.NAMES,
        "Every entry",
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
        ("http", BOOL, "HTTP/1.x or HTTP/2, gRPC too", find.is_any_of(*find.HTTP)),
        ("grpc", BOOL, "gRPC", find.is_any_of("grpc")),
        ("ws", BOOL, "a message on a WebSocket", find.is_any_of("websocket")),
        ("dns", BOOL, "DNS", find.is_any_of("dns")),
        ("redis", BOOL, "Redis", find.is_any_of("redis")),
        ("postgresql", BOOL, "PostgreSQL", find.is_any_of("postgresql")),
        ("tls", BOOL, "the handshake of TLS", find.is_any_of("tls")),
        ("tcp", BOOL, "a TCP connection that speaks none of them", find.is_any_of("tcp")),
        ("udp", BOOL, "a UDP flow that speaks none of them", find.is_any_of("udp")),
        ("conn", BOOL, "a plain connection or flow, as one entry", find.is_any_of("tcp", "udp")),
        ("flow", BOOL, "the same", find.is_any_of("tcp", "udp")),
        ("tcp_conn", BOOL, "as `tcp`", find.is_any_of("tcp")),
        ("tcp_flow", BOOL, "as `tcp`", find.is_any_of("tcp")),
        ("udp_conn", BOOL, "as `udp`", find.is_any_of("udp")),
        ("udp_flow", BOOL, "as `udp`", find.is_any_of("udp")),
    ),
    *_worked_out(
        "Who",
        ("src", PEER, "the client", find.source),
        ("dst", PEER, "what it asked for, and `dst.pod`, which was chosen", find.destination),
        ("endpoint", PEER, "what was chosen", find.endpoint_of),
        ("namespaces", STRINGS, "namespaces of client, Service and chosen Pod", find.in_namespaces),
        ("pods", STRINGS, "names of the client Pod and the chosen one", find.in_pods),
        ("services", STRINGS, "name of the Service", find.in_services),
        ("local_labels", STRING_MAP, "labels of the client Pod", find.labels(find.source)),
        ("remote_labels", STRING_MAP, "labels of the chosen Pod", find.labels(find.endpoint_of)),
        ("local_node_name", STRING, "node of the client Pod", find.node_of(find.source)),
        ("remote_node_name", STRING, "node of the chosen Pod", find.node_of(find.endpoint_of)),
        ("look_up", LOOK_UP, "the DNS look-up that led to the connection", find.look_up),
        ("dns_resolutions", STRINGS, "the name in it", find.look_ups),
    ),
    *_plain(
        "HTTP",
        ("url", STRING, "target of the request, with its query"),
        ("path", STRING, "path of the request, without query; also of a WebSocket"),
    ),
    *_worked_out(
        "HTTP",
        ("http_version", STRING, "`HTTP/1.1`, `HTTP/2`", find.http_version),
        ("query_string", STRING_MAP, "parameters of the query", find.query_string),
        (
            "request_headers_size",
            INT,
            "bytes of the head, framing too",
            find.http_part("request", False),
        ),
        ("request_body_size", INT, "bytes", find.http_part("request", True)),
        ("response_headers_size", INT, "bytes, framing too", find.http_part("response", False)),
        ("response_body_size", INT, "bytes", find.http_part("response", True)),
    ),
    *_worked_out(
        "gRPC",
        ("grpc_method", STRING, "`SayHello`", find.in_message("request", "rpc", STRING, "grpc")),
        (
            "grpc_service",
            STRING,
            "`helloworld.Greeter`",
            find.in_message("request", "service", STRING, "grpc"),
        ),
        ("grpc_status", INT, "0 is OK; -1 without one", find.grpc_status),
    ),
    *_worked_out(
        "DNS",
        ("dns_questions", STRINGS, "names that are asked for", find.questions),
        ("dns_question_types", STRINGS, "`A`, `AAAA`, `SRV`, …", find.question_types),
        ("dns_answers", STRINGS, "addresses, names, … that are answered", find.answers),
        ("dns_request", BOOL, "whether the query was seen", find.has("dns", "request")),
        ("dns_response", BOOL, "whether there is an answer", find.has("dns", "response")),
        ("dns_request_length", INT, "bytes", find.size("dns", "request")),
        ("dns_response_length", INT, "bytes", find.size("dns", "response")),
        ("dns_total_size", INT, "bytes", find.size("dns", "request", "response")),
    ),
    *_worked_out(
        "WebSocket",
        ("ws_opcode", STRING, "`text`, `binary`, `close`", find.ws_opcode),
        ("ws_request", BOOL, "whether the client sent it", find.has("websocket", "request")),
        ("ws_response", BOOL, "whether the server sent it", find.has("websocket", "response")),
        (
            "ws_request_payload_data",
            STRING,
            "what the client said",
            find.in_message("request", "body", STRING, "websocket"),
        ),
        (
            "ws_request_payload_length",
            INT,
            "bytes",
            find.in_message("request", "body_size", INT, "websocket"),
        ),
        (
            "ws_response_payload_length",
            INT,
            "bytes",
            find.in_message("response", "body_size", INT, "websocket"),
        ),
    ),
    *_worked_out(
        "Redis",
        (
            "redis_type",
            STRING,
            "`GET`, `SET`, …",
            find.in_message("request", "command", STRING, "redis"),
        ),
        ("redis_command", STRING, "the whole command", find.redis_command),
        ("redis_key", STRING, "the key, at most 64 characters", find.redis_key),
        ("redis_request_size", INT, "bytes", find.size("redis", "request")),
        ("redis_response_size", INT, "bytes", find.size("redis", "response")),
        ("redis_total_size", INT, "bytes", find.size("redis", "request", "response")),
    ),
    *_worked_out(
        "PostgreSQL",
        (
            "postgresql_command",
            STRING,
            "`SELECT`, `INSERT`, …",
            find.in_message("request", "method", STRING, "postgresql"),
        ),
        (
            "postgresql_query",
            STRING,
            "the statement",
            find.in_message("request", "query", STRING, "postgresql"),
        ),
        (
            "postgresql_database",
            STRING,
            "of a log-in",
            find.in_message("request", "database", STRING, "postgresql"),
        ),
        (
            "postgresql_user",
            STRING,
            "of a log-in",
            find.in_message("request", "user", STRING, "postgresql"),
        ),
        ("postgresql_success", BOOL, "answered without an error", find.postgresql_success),
        (
            "postgresql_error_code",
            STRING,
            "SQLSTATE: `42P01`",
            find.in_message("response", "error_code", STRING, "postgresql"),
        ),
        (
            "postgresql_error_message",
            STRING,
            "what the server said",
            find.in_message("response", "error_message", STRING, "postgresql"),
        ),
        ("postgresql_request_size", INT, "bytes", find.size("postgresql", "request")),
        ("postgresql_response_size", INT, "bytes", find.size("postgresql", "response")),
        ("postgresql_total_size", INT, "bytes", find.size("postgresql", "request", "response")),
    ),
    *_worked_out(
        "TLS",
        (
            "tls_summary",
            STRING,
            "`ClientHello` or `ServerHello`: how far it came",
            find.tls_summary,
        ),
        ("tls_info", STRING, "version and cipher", find.tls_info),
        ("tls_request_size", INT, "bytes", find.size("tls", "request")),
        ("tls_response_size", INT, "bytes", find.size("tls", "response")),
        ("tls_total_size", INT, "bytes", find.size("tls", "request", "response")),
    ),
    *_worked_out(
        "Connections",
        (
            "conn_id",
            STRING,
            "tells connections apart",
            lambda entry: find.connection(entry).get("id", ""),
        ),
        (
            "conn_first",
            BOOL,
            "the first exchange of its connection",
            lambda entry: bool(find.connection(entry).get("first")),
        ),
        (
            "conn_whole",
            BOOL,
            "whether its beginning was captured",
            lambda entry: bool(find.connection(entry).get("whole")),
        ),
        (
            "conn_state",
            STRING,
            "`open`, `closed`, `reset`, … when the entry was made",
            lambda entry: find.connection(entry).get("state", ""),
        ),
        (
            "conn_local_pkts",
            INT,
            "packets of the client",
            find.counted("request", "packets"),
        ),
        ("conn_local_bytes", INT, "bytes of the client", find.counted("request", "bytes")),
        (
            "conn_remote_pkts",
            INT,
            "packets of the server",
            find.counted("response", "packets"),
        ),
        (
            "conn_remote_bytes",
            INT,
            "bytes of the server",
            find.counted("response", "bytes"),
        ),
        ("tcp_error_type", STRING, "as `failure`, of a plain connection", find.failure("tcp")),
        ("tcp_payload", BYTES, "how the client's side begins", find.payload("tcp")),
        ("udp_payload", BYTES, "how the client's side begins", find.payload("udp")),
        ("udp_length", INT, "bytes of both sides", find.size("udp", "request", "response")),
    ),
)

# A protocol that was added has at least a name.
_SPOKEN = tuple(
    Variable(name, BOOL, f'as `protocol == "{name}"`', find.is_any_of(name), group="Protocols")
    for name in protocols.NAMES
)
VARIABLES: Mapping[str, Variable] = {
    variable.name: variable for variable in (*_SPOKEN, *_VARIABLES)
}
