"""An entry has everything about its exchange, and works out only what is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pilotfish.tap import entry
from pilotfish.tap.connection import CLIENT, SERVER
from pilotfish.tap.dissectors.http_message import HttpMessage
from support import exchanges
from support.exchanges import AT_S, GET, OK, cluster, connection, entry_of, http, whole


def test_a_request_has_client_service_and_chosen_pod() -> None:
    made = whole(http())
    assert made["src"]["pod"]["name"] == "web"
    assert made["dst"]["service"] == {
        "name": "api",
        "namespace": "default",
        "labels": made["dst"]["service"]["labels"],
        "type": "ClusterIP",
        "port": made["dst"]["service"]["port"],
    }
    assert (made["endpoint"]["name"], made["endpoint"]["port"]) == ("api-1", 8080)
    assert made["endpoint"]["pod"]["node"] == "node-2"


def test_a_request_has_what_was_said_and_how_long_it_took() -> None:
    made = whole(http())
    expected: dict[str, Any] = {
        "id": "node-1-000007",
        "timestamp": "2023-11-14T22:13:20.001000Z",
        "protocol": "http",
        "node_name": "node-1",
        "method": "GET",
        "url": "/demo/hello?who=me",
        "path": "/demo/hello",
        "status_code": 200,
        "status": "200",
        "error": False,
        "failure": "",
        "elapsed_time": 1000,
        "timing": {"connect": 100, "wait": 1000, "transfer": 0},
        "bytes": {"request": len(GET), "response": len(OK)},
        "probe": False,
    }
    assert {key: made[key] for key in expected} == expected
    assert made["request"]["headers"]["host"] == "api"
    assert made["response"]["body"] == "hello"


def test_an_entry_is_json_whose_keys_have_one_order() -> None:
    made = whole(http())
    assert json.loads(json.dumps(made)) == made
    assert list(made) == [key for key in entry.KEYS if key in made]


def test_only_the_first_request_of_a_connection_pays_for_the_handshake() -> None:
    found = exchanges.exchanges((CLIENT, GET), (SERVER, OK), (CLIENT, GET), (SERVER, OK))
    assert [whole(each)["timing"]["connect"] for each in found] == [100, None]
    first, second = (whole(each)["conn"] for each in found)
    assert (first["first"], second["first"]) == (True, False)
    assert first["id"] == second["id"]


def test_connections_of_the_same_ports_are_told_apart() -> None:
    earlier, later = connection(), connection()
    later.first_s += 1.5
    one, other = (
        whole(exchanges.exchanges((CLIENT, GET), (SERVER, OK), on=each)[0])["conn"]["id"]
        for each in (earlier, later)
    )
    assert one != other


def test_a_pod_that_is_asked_directly_is_its_own_endpoint() -> None:
    over = connection(server=exchanges.API, port=8080)
    made = whole(exchanges.exchanges((CLIENT, GET), (SERVER, OK), on=over)[0], None)
    assert made["dst"]["kind"] == "pod"
    assert made["endpoint"] == made["dst"]


def test_where_nothing_was_chosen_there_is_no_endpoint() -> None:
    assert "endpoint" not in whole(http(), None)


def test_a_refusal_by_a_service_without_endpoints_is_told_from_one_by_a_pod() -> None:
    refused = exchanges.failed("refused")
    assert whole(refused, None)["failure"] == "no endpoints"
    assert whole(refused)["failure"] == "refused"
    assert whole(refused, None)["status"] == "no endpoints"


def test_a_refusal_that_came_from_further_than_the_node_is_a_pods() -> None:
    refused = exchanges.failed("refused")
    refused.connection.reset_ttl = 63
    assert whole(refused, None)["failure"] == "refused"
    refused.connection.reset_ttl = 64
    assert whole(refused, None)["failure"] == "no endpoints"


def test_what_was_not_answered_took_no_time() -> None:
    made = whole(exchanges.exchanges((CLIENT, GET), end="reset")[0])
    assert made["elapsed_time"] is None
    assert made["timing"]["wait"] is None
    assert made["response"] is None
    assert "status_code" not in made


def test_an_answer_whose_request_was_not_seen_has_its_time() -> None:
    found = exchanges.exchanges((SERVER, OK), end="closed")
    made = whole(found[0])
    assert made["timestamp"].startswith("2023-11-14T22:13:20.001")
    assert made["request"] is None
    assert made["elapsed_time"] is None


def test_a_look_up_is_linked_to_the_connection_that_follows() -> None:
    names = cluster()
    names.note_look_up(
        exchanges.WEB, [exchanges.SERVICE], {"name": "api.", "answer": "x", "id": "a"}, AT_S - 1
    )
    made = entry_of(http(), names=names).whole()
    assert made["dns"]["name"] == "api."
    assert "dns" not in whole(http())


@pytest.mark.parametrize(
    ("client", "agent", "probe"),
    [
        (exchanges.NODE, b"kube-probe/1.37", True),
        (exchanges.NODE, b"curl/8", False),
        (exchanges.WEB, b"kube-probe/1.37", False),
    ],
)
def test_a_probe_is_a_nodes_request_that_says_so(client: str, agent: bytes, probe: bool) -> None:
    over = connection(client=client, server=exchanges.API, port=8080)
    request = b"GET /ready HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n" % agent
    found = exchanges.exchanges((CLIENT, request), (SERVER, OK), on=over)
    assert whole(found[0], None)["probe"] is probe


def test_a_probe_of_a_port_says_nothing() -> None:
    silent = connection(client=exchanges.NODE, server=exchanges.API, port=8080)
    spoken = connection(client=exchanges.NODE, server=exchanges.API, port=8080)
    spoken.octets[CLIENT] = 5
    assert whole(exchanges.exchanges(on=silent, end="closed")[0], None)["probe"]
    assert not whole(exchanges.exchanges(on=spoken, end="closed")[0], None)["probe"]


def test_from_a_file_an_entry_has_no_node() -> None:
    made = entry.make(http(), cluster(), None, "", 3)
    assert (made["id"], made["node_name"]) == ("file-000003", "")


class Counted(HttpMessage):
    """A message that says how often it was read."""

    reads = 0

    def fields(self) -> dict[str, Any]:
        Counted.reads += 1
        return super().fields()


def test_method_and_status_are_known_without_reading_headers_or_bodies() -> None:
    exchange = http()
    exchange.request = Counted(GET.rstrip(), len(GET))
    exchange.response = Counted(OK.split(b"\r\n\r\n")[0], len(OK))
    Counted.reads = 0
    lazy = entry_of(exchange)
    assert (lazy["method"], lazy["status_code"], lazy["path"]) == ("GET", 200, "/demo/hello")
    assert Counted.reads == 0
    assert "src" not in lazy
    assert lazy["request"]["headers"]["host"] == "api"
    assert lazy["request"] is lazy["request"]
    assert Counted.reads == 1


def test_what_an_entry_does_not_have_is_a_key_error() -> None:
    lazy = entry_of(exchanges.failed("refused"))
    for key in ("method", "status_code", "dns", "no such part"):
        with pytest.raises(KeyError):
            lazy[key]
