"""A row has as much of an entry as the list shows."""

from __future__ import annotations

import orjson

from pilotfish.dashboard import rows
from pilotfish.dashboard.messages import Row, Rows
from support.entries import entry, pod


def test_a_row_names_who_asked_whom_and_who_was_chosen() -> None:
    row = rows.row(entry())
    assert row["src"] == {
        "kind": "pod", "name": "client", "namespace": "default", "ip": "10.244.0.5", "port": 40000,
    }  # fmt: skip
    assert (row["dst"]["kind"], row["dst"]["name"]) == ("service", "api")
    assert row["endpoint"] is not None
    assert row["endpoint"]["name"] == "api-1"


def test_a_row_has_all_fields_that_the_page_knows() -> None:
    assert set(rows.row(entry())) == set(Row.__annotations__)


def test_an_entry_of_which_little_is_known_is_a_row_too() -> None:
    bare = entry(failure="refused", status="refused", elapsed_time=None, protocol="tcp")
    for key in ("endpoint", "method", "path", "url", "status_code"):
        del bare[key]
    bare["src"] = {"ip": "192.0.2.1", "port": 1, "name": "192.0.2.1", "kind": "external"}
    row = rows.row(bare)
    assert (row["endpoint"], row["method"], row["path"]) == (None, "", "")
    assert (row["src"]["namespace"], row["elapsed_us"]) == ("", None)


def test_times_are_milliseconds_to_the_microsecond() -> None:
    first = rows.time_ms(entry(timestamp="2026-11-22T15:38:55.868669Z"))
    assert first == 1795361935868.669


def test_strangers_words_stay_inside_their_string() -> None:
    nasty = '"}]}</script>\x00\u2028'
    made = entry(summary=nasty, path=nasty, src=pod(nasty, "10.244.0.5"))
    message = orjson.loads(rows.rows_message(1, [rows.encoded(made)] * 2, 3))
    assert [row["summary"] for row in message["rows"]] == [nasty, nasty]
    assert (message["lost"], message["backlog"]) == (3, False)


def test_a_message_of_rows_has_all_fields_that_the_page_knows() -> None:
    assert set(orjson.loads(rows.rows_message(1, []))) == set(Rows.__annotations__)
