"""The names of the filter language find what they name in entries of every protocol."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from pilotfish.cel.types import ObjectType
from pilotfish.tap import protocols
from pilotfish.tap.connection import CLIENT, SERVER
from pilotfish.tap.entry import KEYS
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.filter import compile, variables
from pilotfish.tap.filter.shapes import REQUEST, RESPONSE
from support import exchanges
from support.exchanges import (
    PG_COLUMNS,
    PG_ERROR,
    PG_ROW,
    cluster,
    connection,
    entry_of,
    grpc,
    http,
    look_up,
    pg_message,
    postgresql,
    redis,
    websocket,
    whole,
)

ROOT = Path(__file__).parents[4]
REFERENCES = ROOT / "docs" / "reference"

UDP = look_up("10.96.3.4", "10.96.3.5")
FLOW = exchanges.exchanges((CLIENT, b"\0\1x"), (SERVER, b"\2"), end="closed")[0]
POST = (
    b"POST /form HTTP/1.1\r\nHost: api\r\nContent-Length: 3\r\n\r\na=b",
    b"HTTP/1.1 201 Created\r\nSet-Cookie: id=7; Path=/\r\nContent-Length: 2\r\n\r\n{}",
)
TLS = exchanges.tls(exchanges.TLS_ALERT)
SELECT = postgresql("select 1", PG_COLUMNS, PG_ROW, pg_message("C", b"SELECT 1\0"))

CASES: list[tuple[Exchange, str]] = [
    (http(), "http && !grpc && !dns && !tcp && protocol == 'http'"),
    (http(), "method == 'GET' && path == '/demo/hello' && url == '/demo/hello?who=me'"),
    (http(), "status_code == 200 && status == '200' && !error && failure == ''"),
    (http(), "http_version == 'HTTP/1.1' && query_string['who'] == 'me'"),
    (http(), "request.headers['host'] == 'api' && 'host' in request.headers"),
    (http(), "request.cookies == {'a': '1', 'b': '2'} && has(request.cookies)"),
    (http(*POST), "response.cookies['id'] == '7' && !has(request.cookies)"),
    (http(), "response.body == 'hello' && response.body_size == 5 && response.reason == 'OK'"),
    (http(*POST), "request_body_size == 3 && response_body_size == 2"),
    (http(*POST), "request_headers_size > 40 && response_headers_size > 60"),
    (http(*POST), "request_size == request_headers_size + request_body_size"),
    (http(), "request.query.who == 'me' && request.method == method"),
    (http(), "elapsed_time == 1000 && timing.connect == 100 && timing.wait == 1000"),
    (http(), "timestamp == timestamp('2023-11-14T22:13:20.001Z') && timestamp.getHours() == 22"),
    (http(), "id == 'node-1-000007' && node_name == 'node-1' && node.name == node['name']"),
    (http(), "summary.startsWith('GET ') && !probe"),
    (http(), "src.ip == '10.244.0.5' && src.port == 40000 && src.name == 'web'"),
    (http(), "src.kind == 'pod' && src.pod.name == 'web' && src.pod.namespace == 'default'"),
    (http(), "src.pod.labels['app'] == 'web' && map_get(src.pod.labels, 'no', '-') == '-'"),
    (http(), "src.namespace == 'default' && src.pod.node == 'node-1' && !has(src.service)"),
    (http(), "dst.ip == '10.96.0.50' && dst.port == 80 && dst.kind == 'service'"),
    (http(), "dst.service.name == 'api' && dst.service.namespace == 'default'"),
    (http(), "dst.pod.name == 'api-1' && has(dst.pod) && dst.namespace == 'default'"),
    (http(), "endpoint.pod.node == 'node-2' && endpoint.port == 8080 && has(endpoint.pod)"),
    (http(), "pods == ['web', 'api-1'] && services == ['api'] && namespaces == ['default']"),
    (http(), "local_labels['app'] == 'web' && remote_labels['app'] == 'api'"),
    (http(), "local_node_name == 'node-1' && remote_node_name == 'node-2'"),
    (http(), "[src, dst].exists(p, p.pod.name == 'api-1')"),
    (http(), "dst.dns == '' && dns_resolutions == [] && look_up.name == ''"),
    (http(), "conn_first && conn_whole && conn_state == 'open' && conn_id.contains('@')"),
    (http(), "!has(src.pod.owner) && src.pod.owner.kind == ''"),
    (http(), "grpc_status == -1 && dns_questions == [] && redis_command == '' && !ws_request"),
    (http(), "postgresql_query == '' && tls_info == '' && tcp_payload == b'' && udp_length == 0"),
    (http(), "dst != null && src == src && src != dst"),
    (grpc(5, "no one"), "grpc && http && !conn && protocol == 'grpc'"),
    (grpc(5, "no one"), "grpc_method == 'SayHello' && grpc_service == 'helloworld.Greeter'"),
    (grpc(5, "no one"), "grpc_status == 5 && response.grpc_status_name == 'NOT_FOUND' && error"),
    (grpc(), "grpc_status == 0 && request.messages == 1 && request.message_sizes == [3]"),
    (grpc(), "http_version == 'HTTP/2' && method == 'POST' && status_code == 200"),
    (UDP, "dns && !udp && !conn && dns_request && dns_response"),
    (UDP, "'go-demo-2-db.default.svc.cluster.local' in dns_questions"),
    (UDP, "dns_question_types == ['A'] && dns_answers == ['10.96.3.4', '10.96.3.5']"),
    (UDP, "dns_request_length > 20 && dns_total_size == dns_request_length + dns_response_length"),
    (UDP, "status_code == 0 && status == 'NOERROR' && method == 'A'"),
    (UDP, "response.answers.all(r, r.type == 'A' && r.ttl == 30)"),
    (
        look_up(rcode=3),
        "dns && status_code == 3 && status == 'NXDOMAIN' && response.rcode == status",
    ),
    (
        redis(b"+OK\r\n", b"set", b"k" * 70, b"v"),
        "redis && redis_type == 'SET' && size(redis_key) == 64",
    ),
    (redis(b"+OK\r\n", b"set", b"k", b"v"), "redis_command == 'SET k v' && redis_total_size > 30"),
    (redis(b":7\r\n", b"incr", b"k"), "response.value == 7 && request.args == ['k']"),
    (redis(b"-ERR no\r\n", b"get", b"k"), "error && status == 'ERR' && response.error"),
    (SELECT, "postgresql && postgresql_command == 'SELECT' && postgresql_query == 'select 1'"),
    (SELECT, "postgresql_success && response.rows == 1 && response.columns == ['id']"),
    (SELECT, "request.query.contains('select') && postgresql_total_size > 0"),
    (
        postgresql("select x", PG_ERROR),
        "!postgresql_success && postgresql_error_code == '42P01' && error"
        " && postgresql_error_message.contains('no such') && response.severity == 'ERROR'",
    ),
    (websocket(CLIENT, b"\x81\x02hi"), "ws && ws_opcode == 'text' && ws_request && !ws_response"),
    (websocket(CLIENT, b"\x81\x02hi"), "ws_request_payload_data == 'hi' && path == '/chat'"),
    (websocket(SERVER, b"\x82\x02hi"), "ws_response_payload_length == 2 && ws_opcode == 'binary'"),
    (FLOW, "tcp && conn && flow && tcp_conn && tcp_flow && !udp_conn && !udp_flow"),
    (FLOW, "tcp_payload == b'\\x00\\x01x' && conn_state == 'closed' && tcp_error_type == ''"),
    (FLOW, "conn_local_bytes == 0 && conn_remote_pkts == 0"),
    (TLS, "tls && request.server_name == 'api.test' && tls_summary == 'ServerHello'"),
    (TLS, "error && response.alert == status && tls_total_size > 100 && tls_info == ''"),
    (exchanges.tls(), "tls && tls_summary == 'ClientHello' && 'TLS 1.3' in request.versions"),
    (exchanges.failed("refused"), "tcp && tcp_error_type == 'refused' && failure == 'refused'"),
    (exchanges.failed("refused"), "status_code == 0 && method == '' && elapsed_time == 0 && error"),
]


@pytest.mark.parametrize(("exchange", "text"), CASES)
def test_a_name_finds_what_it_names(exchange: Exchange, text: str) -> None:
    assert compile(text).matches(entry_of(exchange))


@pytest.mark.parametrize(("exchange", "text"), CASES)
def test_a_whole_entry_answers_as_a_lazy_one(exchange: Exchange, text: str) -> None:
    assert compile(text).matches(whole(exchange))


def test_every_variable_has_a_value_of_its_type_for_every_protocol() -> None:
    """Where an entry lacks something, too: nothing but an error of CEL may come of it."""
    given = [case[0] for case in CASES] + [
        exchanges.exchanges((SERVER, exchanges.OK), end="closed")[0],
        exchanges.exchanges((CLIENT, exchanges.GET), end="reset")[0],
    ]
    for variable in variables():
        of_type = compile(f"type({variable.name}) == {_runtime_type(str(variable.type))}")
        for exchange in given:
            for endpoint in (exchanges.CHOSEN, None):
                assert of_type.matches(entry_of(exchange, endpoint)), variable.name


@pytest.mark.parametrize(("side", "kind"), [("request", REQUEST), ("response", RESPONSE)])
def test_what_messages_say_is_declared_and_of_the_declared_type(
    side: str, kind: ObjectType
) -> None:
    for exchange, _ in CASES:
        said = whole(exchange)[side] or {}
        assert set(said) <= set(kind.fields), exchange.protocol
        for name in said:
            of_type = _runtime_type(str(kind.fields[name].type))
            if of_type != "dyn":
                found = compile(f"type({side}.{name}) == {of_type}")
                assert found.matches(entry_of(exchange)), name


def test_every_field_is_described() -> None:
    described = (REFERENCES / "entries.md").read_text()
    for name in (*KEYS, *REQUEST.fields, *RESPONSE.fields):
        if name != "cookies":  # worked out by the filter
            assert re.search(rf"`{name}[.`]", described), name


def _runtime_type(name: str) -> str:
    name = name.partition("(")[0]
    if name == "timestamp":
        return "type(now())"
    return name if name[0].islower() else "map"


def test_without_a_chosen_pod_the_service_lends_its_name() -> None:
    refused = entry_of(exchanges.failed("refused"), None)
    assert compile("dst.pod.name == 'api' && dst.pod.namespace == 'default'").matches(refused)
    assert compile("!has(dst.pod) && !has(endpoint.pod)").matches(refused)
    assert compile("failure == 'no endpoints'").matches(refused)


def test_a_look_up_is_found_at_the_connection_it_led_to() -> None:
    names = cluster()
    found = {"name": exchanges.DB, "answer": exchanges.SERVICE, "id": "node-1-000001"}
    names.note_look_up(exchanges.WEB, [exchanges.SERVICE], found, exchanges.AT_S)
    entry = entry_of(http(), names=names)
    name = exchanges.DB.removesuffix(".")
    assert compile(f"dst.dns == '{name}' && dns_resolutions == ['{name}']").matches(entry)
    assert compile("look_up.id == 'node-1-000001' && has(look_up.answer)").matches(entry)


def test_a_stranger_has_no_pod() -> None:
    over = connection(client="203.0.113.7")
    exchange = exchanges.exchanges((CLIENT, exchanges.GET), (SERVER, exchanges.OK), on=over)[0]
    assert compile("src.kind == 'external' && !has(src.pod) && src.pod.name == ''").matches(
        entry_of(exchange)
    )


def test_a_filter_on_the_start_line_reads_nothing_else() -> None:
    entry = entry_of(http())
    assert compile("http && method == 'GET' && status_code < 300").matches(entry)
    assert not {"src", "dst", "request", "response", "conn"} & set(entry)


def test_every_protocol_can_be_asked_for() -> None:
    for name in protocols.NAMES:
        assert compile(name).matches({"protocol": name})
        assert compile(f"protocol == '{name}'").matches({"protocol": name})


def test_the_reference_says_what_there_is() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "make_filter_reference.py"))
    written = (REFERENCES / "filters.md").read_text()
    assert written.partition(made["MARK"])[2] == f"\n\n{made['tables']()}", (
        "run: python tools/make_filter_reference.py"
    )


def test_the_examples_of_the_reference_are_filters() -> None:
    written = (REFERENCES / "filters.md").read_text().partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in written.splitlines() if line.startswith("| `")]
    assert len(rows) > 8
    for row in rows:
        compile(row.removeprefix("| ").strip("`"))


def test_without_a_filter_nobody_pays_for_the_language() -> None:
    code = (
        "import sys; from pilotfish.tap import filter, server; filter.compile('').matches({});"
        "sys.exit(len({'lark', 're2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
