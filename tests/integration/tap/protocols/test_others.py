"""gRPC, WebSocket and DNS of real peers are seen as tshark sees them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable

import pytest

from support.captures import Machine

GRPC_SERVER = """
import sys, time
from concurrent import futures
import grpc

def echo(request, context):
    return request

def fail(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such person: 100%")

def stream(request, context):
    for _ in range(5):
        yield request * 2

def collect(requests, context):
    return b"".join(requests)

def rpc(kind, function):
    return getattr(grpc, kind + "_rpc_method_handler")(function)

server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("demo.People", {
    "Echo": rpc("unary_unary", echo), "Fail": rpc("unary_unary", fail),
    "List": rpc("unary_stream", stream), "Collect": rpc("stream_unary", collect),
}),))
server.add_insecure_port("127.0.0.1:50051")
server.start()
server.wait_for_termination()
"""
GRPC_CLIENT = """
import grpc
with grpc.insecure_channel("127.0.0.1:50051") as channel:
    for size in (1, 1000, 40000):
        assert channel.unary_unary("/demo.People/Echo")(bytes(size)) == bytes(size)
    assert len(list(channel.unary_stream("/demo.People/List")(b"xyz"))) == 5
    assert channel.stream_unary("/demo.People/Collect")(iter([b"a", b"bc"])) == b"abc"
    for name in ("Fail", "Nothing"):
        try:
            channel.unary_unary("/demo.People/" + name)(b"x")
        except grpc.RpcError:
            pass
"""


def test_grpc_calls(machine: Machine, values: Callable[[list[str]], list[str]]) -> None:
    machine.start(sys.executable, "-c", GRPC_SERVER, port=50051)
    with machine.capture("grpc") as capture:
        machine.run(sys.executable, "-c", GRPC_CLIENT)
    calls = [each for each in capture.exchanges() if each.protocol == "grpc"]
    assert {each.failure for each in calls} == {""}
    seen = []
    for each in calls:
        assert each.request is not None
        assert each.response is not None
        request, response = each.request.fields(), each.response.fields()
        assert request["service"] == "demo.People"
        counts = request["messages"], response["messages"]
        seen.append((request["rpc"], response["grpc_status_name"], *counts))
    assert seen == [
        ("Echo", "OK", 1, 1),
        ("Echo", "OK", 1, 1),
        ("Echo", "OK", 1, 1),
        ("List", "OK", 1, 5),
        ("Collect", "OK", 2, 1),
        ("Fail", "NOT_FOUND", 1, 0),
        ("Nothing", "UNIMPLEMENTED", 1, 0),
    ]
    failed = calls[5].response
    assert failed is not None
    assert failed.fields()["grpc_message"] == "no such person: 100%"
    options = ("-d", "tcp.port==50051,http2")
    paths = values(capture.tshark("http2.headers.path", "http2.headers.path", options=options))
    assert [path.rpartition("/")[2] for path in paths] == [name for name, *_ in seen]
    field = "http2.headers.grpc_status"
    status = [
        value
        for line in capture.tshark(
            "http2", "http2.header.name", "http2.header.value", options=options
        )
        for value in _named("grpc-status", line)
    ]
    assert status == ["0"] * 5 + ["5", "12"], field


def _named(name: str, line: str) -> list[str]:
    """Values of a header in a line of names and one of values."""
    names, _, values = line.partition("|")
    pairs = zip(names.split(";"), values.split(";"), strict=False)
    return [value for each, value in pairs if each == name]


WEBSOCKET_SERVER = """
from websockets.sync.server import serve
def echo(socket):
    for message in socket:
        socket.send(message)
with serve(echo, "127.0.0.1", 8765) as server:
    server.serve_forever()
"""
WEBSOCKET_CLIENT = """
import sys
from websockets.sync.client import connect
with connect("ws://127.0.0.1:8765/chat?x=1", compression=sys.argv[1] or None) as socket:
    for message in ("hello", "hello", "long " * 20000, bytes(range(256))):
        socket.send(message)
        assert socket.recv() == message
    socket.send(["in ", "three ", "parts"])
    assert socket.recv() == "in three parts"
    socket.close(1001, "going away")
"""


@pytest.fixture(scope="module")
def websocket(machine: Machine) -> Machine:
    machine.start(sys.executable, "-c", WEBSOCKET_SERVER, port=8765)
    return machine


@pytest.mark.parametrize("compression", ["", "deflate"])
def test_websocket_messages(websocket: Machine, compression: str) -> None:
    with websocket.capture(f"websocket-{compression}") as capture:
        websocket.run(sys.executable, "-c", WEBSOCKET_CLIENT, compression)
    exchanges = capture.exchanges()
    assert exchanges[0].protocol == "http"
    assert {each.protocol for each in exchanges[1:]} == {"websocket"}
    for side in ("request", "response"):
        said = [
            message.fields()
            for each in exchanges[1:]
            if (message := getattr(each, side)) is not None
        ]
        assert [each.get("body", "")[:5] for each in said[:3]] == ["hello", "hello", "long "]
        assert [each["body_size"] for each in said[:4]] == [5, 5, 100_000, 256]
        assert said[4]["body"] == "in three parts"
        assert said[5]["close_code"] == 1001
        assert {each["compressed"] for each in said[:5]} == {bool(compression)}
        assert {each["path"] for each in said} == {"/chat"}
    options = ("-d", "tcp.port==8765,http")
    opcodes = capture.tshark("websocket.opcode", "websocket.opcode", options=options)
    theirs = Counter(code for line in opcodes for code in line.split(";"))
    ours = Counter(
        message.fields()["method"]
        for each in exchanges[1:]
        if (message := each.request or each.response) is not None
    )
    assert (ours["text"], ours["binary"], ours["close"]) == (
        theirs["1"], theirs["2"], theirs["8"],
    )  # fmt: skip


def test_dns_over_udp_and_tcp(machine: Machine, values: Callable[[list[str]], list[str]]) -> None:
    machine.start(
        "dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--listen-address=127.0.0.1",
        "--bind-interfaces", "--host-record=api.test,10.0.0.7,fd00::7", "--local=/test/",
        "--cname=www.test,api.test", "--srv-host=_http._tcp.test,api.test,80",
        "--txt-record=api.test,two words", "--pid-file=", port=53,
    )  # fmt: skip
    questions = [
        ("api.test", "A"),
        ("api.test", "AAAA"),
        ("www.test", "A"),
        ("_http._tcp.test", "SRV"),
        ("api.test", "TXT"),
        ("nowhere.test", "A"),
    ]
    with machine.capture("dns") as capture:
        for transport in ("+notcp", "+tcp"):
            asked = [word for question in questions for word in (*question, transport, "+noall")]
            machine.run("dig", "@127.0.0.1", *asked)
    exchanges = [each for each in capture.exchanges() if each.protocol == "dns"]
    assert [each.failure for each in exchanges] == [""] * 12
    seen = []
    for each in exchanges:
        assert each.request is not None
        assert each.response is not None
        request, response = each.request.fields(), each.response.fields()
        answers = tuple(answer["data"] for answer in response["answers"])
        seen.append((request["name"], request["type"], response["rcode"], answers))
    expected = [
        ("api.test.", "A", "NOERROR", ("10.0.0.7",)),
        ("api.test.", "AAAA", "NOERROR", ("fd00::7",)),
        ("www.test.", "A", "NOERROR", ("api.test.", "10.0.0.7")),
        ("_http._tcp.test.", "SRV", "NOERROR", ("0 0 80 api.test.",)),
        ("api.test.", "TXT", "NOERROR", ('"two words"',)),
        ("nowhere.test.", "A", "NXDOMAIN", ()),
    ]
    assert seen == expected * 2
    rcodes = values(capture.tshark("dns.flags.response == 1", "dns.flags.rcode"))
    assert rcodes == ["0", "0", "0", "0", "0", "3"] * 2
    names = values(capture.tshark("dns.flags.response == 0", "dns.qry.name"))
    assert names == [name.removesuffix(".") for name, *_ in seen]
