"""The lines that processes write to their logs."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

from pilotfish.client.log_fields import fields, log_fields
from pilotfish.client.log_lines import JsonFormatter, TextFormatter, sentence_of


def record(message: str, *arguments: object, **options: Any) -> logging.LogRecord:
    made = logging.LogRecord("a.b", logging.INFO, "f.py", 1, message, arguments, None)
    made.created, made.msecs = 1767225600.5, 500.0
    for key, value in options.items():
        setattr(made, key, value)
    return made


def parsed(made: logging.LogRecord) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(JsonFormatter("node-1").format(made))
    return line


def test_text_has_the_fields_behind_the_sentence() -> None:
    made = record("HTTP", **fields(verb="get", resp=500))
    line = TextFormatter().format(made)
    assert line == '2026-01-01T00:00:00.500Z INFO a.b HTTP verb="get" resp=500'


def test_text_does_not_repeat_what_the_sentence_says() -> None:
    with log_fields(kind="Pod", object="default/web"):
        line = TextFormatter().format(record("pod %s: no image", "default/web"))
    assert line == '2026-01-01T00:00:00.500Z INFO a.b pod default/web: no image kind="Pod"'


def test_a_value_cannot_begin_a_line_of_its_own() -> None:
    made = record("HTTP", **fields(userAgent='x"\n2026 INFO forged'))
    assert len(TextFormatter().format(made).splitlines()) == 1
    made = record("two\nlines")
    assert len(JsonFormatter("x").format(made).splitlines()) == 1


HOSTILE = "GET /\x1b[31m\r\n2026-01-01T00:00:00.000Z INFO a forged\x9b\u202e\u2028 line"


def test_no_character_of_a_stranger_acts_on_a_terminal_or_begins_a_line() -> None:
    line = TextFormatter().format(record("path %s", HOSTILE))
    assert line.isprintable()
    assert "\\e[31m\\r\\n2026" in line


def test_a_traceback_cannot_forge_a_line() -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        made = record("failed", exc_info=sys.exc_info())
    first, *rest = TextFormatter().format(made).split("\n")
    assert first.endswith(" failed")
    assert rest[0] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


def test_a_line_has_a_bounded_length() -> None:
    assert len(TextFormatter().format(record("x" * 1_000_000))) < 10_000
    assert len(JsonFormatter("x").format(record("x" * 1_000_000))) < 10_000


def test_json_names_component_object_and_namespace() -> None:
    with log_fields(kind="Pod", object="default/web"):
        assert parsed(record("pod %s: no image", "default/web")) == {
            "ts": 1767225600.5,
            "level": "info",
            "component": "node-1",
            "logger": "a.b",
            "msg": "pod default/web: no image",
            "kind": "Pod",
            "object": "default/web",
            "namespace": "default",
        }
    assert "object" not in parsed(record("another line"))


def test_json_holds_the_error_and_where_it_came_from() -> None:
    try:
        raise ValueError("no such thing")
    except ValueError:
        line = parsed(record("failed", exc_info=sys.exc_info()))
    assert line["err"] == "no such thing"
    assert "test_log_lines.py" in line["stacktrace"]


async def test_tasks_keep_the_fields_that_they_were_started_with() -> None:
    async def work(describe: Callable[[], dict[str, Any]]) -> Any:
        await asyncio.sleep(0)
        return describe().get("object")

    with log_fields(object="a/b"):
        inside = asyncio.create_task(work(lambda: parsed(record("x"))))
    outside = asyncio.create_task(work(lambda: parsed(record("x"))))
    assert (await inside, await outside) == ("a/b", None)


def test_either_line_can_be_told_in_a_sentence() -> None:
    made = record("OSError: %s", "no space")
    for line in (TextFormatter().format(made), JsonFormatter("x").format(made)):
        assert sentence_of(line) == "OSError: no space"
    assert sentence_of("Traceback, not by us") == "Traceback, not by us"
    assert sentence_of("{not JSON") == "{not JSON"
