"""Entries as OpenTelemetry spans."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pilotfish.dashboard.otlp import export_request, span
from support.entries import entry

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def attributes(item: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a span or resource, by their keys."""
    found = {}
    for each in item["attributes"]:
        ((kind, value),) = each["value"].items()
        found[each["key"]] = int(value) if kind == "intValue" else value
    return found


def with_header(name: str, value: str) -> dict[str, Any]:
    made = entry()
    made["request"] = {**made["request"], "headers": {name: value}}
    return made


def test_a_request_is_a_server_span_from_its_first_byte_to_its_answers_last() -> None:
    found = span(entry())
    assert found["name"] == "GET"
    assert found["kind"] == 2
    assert found["startTimeUnixNano"] == "1767268800250000000"
    assert found["endTimeUnixNano"] == "1767268800251200000"
    assert found["status"] == {"code": 0}
    assert attributes(found)["http.request.method"] == "GET"
    assert attributes(found)["http.response.status_code"] == 200
    assert attributes(found)["url.path"] == "/demo/hello"
    assert attributes(found)["url.query"] == "x=1"
    assert attributes(found)["network.peer.address"] == "10.244.1.7"
    assert attributes(found)["network.protocol.version"] == "1.1"


def test_the_resource_is_the_service_and_the_pod_that_answered() -> None:
    (resource,) = export_request([entry()])["resourceSpans"]
    assert attributes(resource["resource"]) == {
        "service.name": "api",
        "service.namespace": "default",
        "k8s.namespace.name": "default",
        "k8s.pod.name": "api-1",
    }


def test_spans_of_one_pod_share_a_resource() -> None:
    other = entry(id="node-1-000002")
    (resource,) = export_request([entry(), other])["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    assert len({each["spanId"] for each in scope["spans"]}) == 2


def test_a_request_with_a_traceparent_joins_its_callers_trace() -> None:
    found = span(with_header("traceparent", f"00-{TRACE}-{CALLER}-01"))
    assert (found["traceId"], found["parentSpanId"]) == (TRACE, CALLER)


@pytest.mark.parametrize(
    "value",
    ["", "no", f"00-{'0' * 32}-{CALLER}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-01"],
)
def test_a_traceparent_that_is_none_leaves_the_request_a_trace_of_its_own(value: str) -> None:
    found = span(with_header("traceparent", value))
    assert "parentSpanId" not in found
    assert re.fullmatch(r"[0-9a-f]{32}", found["traceId"])
    assert found["traceId"] != TRACE


def test_the_same_entry_has_the_same_identifiers_whenever_it_is_exported() -> None:
    assert span(entry()) == span(entry())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status_code": 404, "status": "404", "error": True}, 0),
        ({"status_code": 503, "status": "503", "error": True}, 2),
        ({"failure": "refused", "status": "refused", "error": True}, 2),
    ],
)
def test_a_server_is_at_fault_from_500_and_when_no_answer_came(
    changes: dict[str, Any], code: int
) -> None:
    found = span(entry(**changes))
    assert found["status"]["code"] == code
    assert ("error.type" in attributes(found)) == (code == 2)


def test_a_request_that_was_not_answered_has_no_length() -> None:
    made = entry(
        elapsed_time=None,
        timing={"connect": None, "wait": None, "transfer": None},
        response=None,
        status="refused",
        failure="refused",
        error=True,
    )
    del made["endpoint"], made["status_code"]
    found = span(made)
    assert found["startTimeUnixNano"] == found["endTimeUnixNano"]
    assert found["status"] == {"code": 2, "message": "refused"}


def test_a_statement_is_an_attribute_and_no_name() -> None:
    made = entry(
        protocol="postgresql", method="SELECT", request={"query": "select * from pets", "size": 20}
    )
    found = span(made)
    assert found["name"] == "postgresql SELECT"
    assert attributes(found)["db.query.text"] == "select * from pets"


def test_text_of_strangers_is_cut() -> None:
    found = span(entry(url="/" + "x" * 100_000, request={"url": "/" + "x" * 100_000, "size": 1}))
    assert max(len(str(value)) for value in attributes(found).values()) <= 4096
