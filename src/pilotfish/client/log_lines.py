"""How every process of a cluster writes its log: one line an event, to standard error.

Whatever is in an event, a line stays one line and shows every character (`visible`); it is no
longer than some kilobytes. The lines of a traceback are set in, so that none looks like another
event.

As text, or as JSON for programs that collect logs (Kubernetes' `--logging-format`: `ts` in seconds
since the epoch, `msg`, `err`, and fields). What a line is about is added by `client.log_fields`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pilotfish.client.log_fields import context, fields_of
from pilotfish.client.log_file import LogFile
from pilotfish.client.log_limits import LineLimits
from pilotfish.client.visible import escape

FORMATS = ("text", "json")
_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"
_SECONDS = "%Y-%m-%dT%H:%M:%S"
# Between a message and its traceback, until both are escaped. What follows one that a stranger sent
# is set in like a traceback, so that it forges no line.
_BREAK = "\x00traceback\x00"
_MAX_LINE = 8000
_MAX_REASON = 300
_MAX_TRACEBACK_LINES = 100
_HEAD = re.compile(r"^\S+Z [A-Z]+ \S+ ")


class TextFormatter(logging.Formatter):
    """`2026-01-01T00:00:00.000Z INFO logger sentence key="value"`. Times are UTC."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(_FORMAT, _SECONDS)

    def format(self, record: logging.LogRecord) -> str:
        """The line, and those of a traceback."""
        first, *rest = super().format(record).split(_BREAK)
        traceback = [line for part in rest for line in part.splitlines()][-_MAX_TRACEBACK_LINES:]
        return "\n".join(
            [_bounded(first.removesuffix("\n")), *(f"    {_bounded(line)}" for line in traceback)]
        )

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """The traceback, marked so that the message's own line breaks are not taken for its."""
        return _BREAK + super().formatException(ei)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line without a traceback. What its sentence says already is not said again."""
        known = {key: value for key, value in context().items() if str(value) not in record.message}
        values = {**known, **fields_of(record)}
        return super().formatMessage(record) + "".join(
            f" {key}={json.dumps(value, default=str)}" for key, value in values.items()
        )


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, component: str) -> None:
        super().__init__()
        self._component = component

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "ts": round(record.created, 3),
            "level": record.levelname.lower(),
            "component": self._component,
            "logger": record.name,
            "msg": record.getMessage(),
            **context(),
            **fields_of(record),
        }
        namespace, slash, _ = str(line.get("object", "")).partition("/")
        if slash:
            line["namespace"] = namespace
        if record.exc_info and record.exc_info[1] is not None:
            line["err"] = str(record.exc_info[1])
            line["stacktrace"] = self.formatException(record.exc_info)
        for key, value in line.items():
            if isinstance(value, str) and len(value) > _MAX_LINE:
                # Of a traceback, the end says what happened.
                line[key] = value[-_MAX_LINE:] if key == "stacktrace" else value[:_MAX_LINE] + "…"
        return json.dumps(line, default=str)


def _bounded(text: str) -> str:
    """One line without control characters, cut where it is too long."""
    shown = escape(text[:_MAX_LINE])
    return shown if len(text) <= _MAX_LINE else f"{shown}… ({len(text)} characters)"


def sentence_of(line: str) -> str:
    """What a line of either format says, without time, level and logger's name."""
    if line.startswith("{"):
        with contextlib.suppress(ValueError):
            return str(json.loads(line).get("msg", ""))
    return _HEAD.sub("", line)


def configure(
    log_format: str = "text", component: str = "", path: Path | None = None
) -> Callable[[], None]:
    """Set up logging of the calling process.

    Args:
        log_format: one of FORMATS.
        component: whose log this is; JSON lines say so.
        path: the log file, which becomes standard output and error; None leaves them as they are.

    Returns:
        What to call now and then, so that lines which were left out are told of.
    """
    handler: logging.Handler = LogFile(path) if path is not None else logging.StreamHandler()
    handler.setFormatter(JsonFormatter(component) if log_format == "json" else TextFormatter())
    limits = LineLimits()
    handler.addFilter(_without_strangers_traces)
    handler.addFilter(limits)
    logging.basicConfig(level=logging.INFO, handlers=[handler])

    def tell() -> None:
        for record in limits.tell():
            handler.handle(record)

    return tell


def _without_strangers_traces(record: logging.LogRecord) -> bool:
    """Take the traceback off where a request was malformed: it is no fault of this program."""
    if record.name == "aiohttp.server" and record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        if any(kind.__name__ == "HttpProcessingError" for kind in type(error).__mro__):
            reason = " ".join(str(error).split())[:_MAX_REASON]
            record.msg = "a malformed request was refused: %s: %s"
            record.args, record.exc_info, record.exc_text = (
                (type(error).__name__, reason),
                None,
                None,
            )
            record.levelno, record.levelname = logging.INFO, "INFO"
    return True
