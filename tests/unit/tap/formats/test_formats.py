"""Entries are shown in lines, as JSON and as HAR, and nothing in them acts on a terminal."""

from __future__ import annotations

import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.client.visible import escape
from pilotfish.tap.formats.printer import Format, printer
from pilotfish.tap.formats.terminal import escape_block
from pilotfish.tap.formats.text import bodies, duration, line, wide_line
from support.entries import entry


def printed(format_: Format, *entries: dict[str, object], **options: bool) -> bytes:
    out = io.BytesIO()
    chosen = {"bodies": False, "colours": False, "namespaces": False, **options}
    shown = printer(format_, out, **chosen)
    for each in entries:
        shown.entry(each)
    shown.close()
    return out.getvalue()


def test_a_line_says_who_asked_which_service_and_which_pod_was_chosen() -> None:
    shown = line(entry(), colours=False, namespaces=False)
    assert shown.endswith("client → api → api-1  GET /demo/hello?x=1 → 200  1.2 ms")


def test_names_carry_their_namespace_where_several_are_looked_at() -> None:
    assert "default/client → default/api → default/api-1" in line(entry(), False, True)


def test_what_was_not_chosen_is_not_named() -> None:
    refused = {key: value for key, value in entry().items() if key != "endpoint"}
    assert "client → api  GET" in line(refused, colours=False, namespaces=False)


def test_errors_are_red_and_answers_green() -> None:
    assert "\x1b[32m200\x1b[0m" in line(entry(), colours=True, namespaces=False)
    failed = entry(error=True, status="503", summary="GET / → 503")
    assert "\x1b[31m503\x1b[0m" in line(failed, colours=True, namespaces=False)


def test_the_wide_line_has_addresses_node_and_where_the_time_went() -> None:
    shown = wide_line(entry(), colours=False)
    assert "default/api (10.96.0.20:80) → default/api-1 (10.244.1.7:8080)" in shown
    assert "connect 100 µs, wait 900 µs, transfer 300 µs" in shown
    assert "node-1" in shown


def test_json_bodies_are_pretty_and_long_ones_cut() -> None:
    made = entry()
    made["response"] = {**made["response"], "body": '{"a":[1,2]}'}
    assert '    ←   "a": [' in bodies(made)
    made["response"] = {**made["response"], "body": "\n".join("x" * 100)}
    assert "… 60 more lines" in bodies(made)


@pytest.mark.parametrize(
    ("micros", "shown"), [(None, ""), (850, "850 µs"), (1234, "1.23 ms"), (3_400_000, "3.4 s")]
)
def test_durations_are_for_people(micros: int | None, shown: str) -> None:
    assert duration(micros) == shown


@given(st.text())
def test_nothing_that_a_packet_says_acts_on_a_terminal(text: str) -> None:
    for shown in (escape(text), escape_block(text).replace("\n", "").replace("\t", "")):
        assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in shown)


def test_an_escape_sequence_is_shown_as_what_it_is() -> None:
    hostile = entry(summary="GET /\x1b]0;owned\x07\u202e → 200")
    shown = line(hostile, colours=False, namespaces=False)
    assert "GET /\\e]0;owned\\x07\\u202e → 200" in shown


def test_json_is_one_object_a_line() -> None:
    first, second = printed("json", entry(), entry(id="2")).splitlines()
    assert orjson.loads(first) == entry()
    assert orjson.loads(second)["id"] == "2"


def test_a_har_file_has_each_http_request_and_nothing_else() -> None:
    log = orjson.loads(printed("har", entry(), entry(protocol="dns"), entry(response=None)))["log"]
    assert log["version"] == "1.2"
    whole, unanswered = log["entries"]
    assert whole["request"]["url"] == "http://api/demo/hello?x=1"
    assert whole["request"]["queryString"] == [{"name": "x", "value": "1"}]
    assert whole["timings"]["wait"] == 0.9
    assert whole["serverIPAddress"] == "10.244.1.7"
    assert unanswered["response"]["status"] == 0


def test_a_har_file_without_requests_is_one_all_the_same() -> None:
    assert orjson.loads(printed("har"))["log"]["entries"] == []


UNSEEN = "a\x7f\x85\x9b1m\u202e\u2066\u200b\xad\u061c\ufeff\U000e0041é→😀"


@pytest.mark.parametrize("format_", ["json", "har"])
def test_programs_read_what_was_said_and_terminals_show_it(format_: Format) -> None:
    made = entry()
    made["request"]["body"] = UNSEEN
    shown = printed(format_, made)
    text = shown.decode()
    assert not set(UNSEEN[1:4] + UNSEEN[6:-3]) & set(text)
    assert "é→😀" in text
    read = orjson.loads(shown)
    if format_ == "json":
        assert read == made
    else:
        assert read["log"]["entries"][0]["request"]["postData"]["text"] == UNSEEN


@pytest.mark.parametrize("format_", ["text", "wide"])
def test_lines_show_what_has_no_shape(format_: Format) -> None:
    made = entry(summary=f"GET /{UNSEEN} → 200")
    made["request"]["body"] = UNSEEN
    shown = printed(format_, made, bodies=True).decode()
    assert not set(UNSEEN[1:4] + UNSEEN[6:-3]) & set(shown)
    assert "\\x9b1m\\u202e\\u2066\\u200b\\xad" in shown


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"a":' * 5000 + "1" + "}" * 5000, '"\\"' * 99_999]
)
def test_a_body_that_is_nested_deeply_is_shown_as_it_is(body: str) -> None:
    made = entry()
    made["request"]["body"] = body
    assert body[:1000] in bodies(made)


def test_brackets_in_texts_nest_nothing() -> None:
    made = entry()
    made["request"]["body"] = '{"a":"' + "[" * 1000 + '"}'
    assert '"a": "[[' in bodies(made)
