"""How every process of a cluster writes its log: one line an event, to standard error.

As text, or as JSON for programs that collect logs (Kubernetes' `--logging-format`: `ts` in seconds
since the epoch, `msg`, `err`, and fields). What a line is about is added by `client.log_fields`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import time
from typing import Any

from pilotfish.client.log_fields import context, fields_of

FORMATS = ("text", "json")
_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"
_SECONDS = "%Y-%m-%dT%H:%M:%S"
_HEAD = re.compile(r"^\S+Z [A-Z]+ \S+ ")


class TextFormatter(logging.Formatter):
    """`2026-01-01T00:00:00.000Z INFO logger sentence key="value"`. Times are UTC."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(_FORMAT, _SECONDS)

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
        return json.dumps(line, default=str)


def sentence_of(line: str) -> str:
    """What a line of either format says, without time, level and logger's name."""
    if line.startswith("{"):
        with contextlib.suppress(ValueError):
            return str(json.loads(line).get("msg", ""))
    return _HEAD.sub("", line)


def configure(log_format: str = "text", component: str = "") -> None:
    """Set up logging of the calling process.

    Args:
        log_format: one of FORMATS.
        component: whose log this is; JSON lines say so.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(component) if log_format == "json" else TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
