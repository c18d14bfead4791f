"""The query of /containerLogs as the log reader's options."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from pilotfish.node.logs.reader import LogOptions
from pilotfish.node.streaming.http1 import BadRequest, Request
from pilotfish.objects.numbers import whole_number
from pilotfish.objects.times import parse_time

# A thousand years: longer than any log, and a time that there was.
_EVER_S: Final = 1000 * 365 * 86_400


def log_options(request: Request) -> LogOptions:
    """Reads the fields of PodLogOptions. Raises BadRequest that names the field."""
    since_s = _number(request, "sinceSeconds", 1)
    since = None
    if since_s is not None:
        since = datetime.now(UTC) - timedelta(seconds=min(since_s, _EVER_S))
    elif text := request.first("sinceTime"):
        try:
            since = parse_time(text)
        except (ValueError, OverflowError) as error:
            raise BadRequest(f"sinceTime: Invalid value: {text!r}: {error}") from error
    return LogOptions(
        follow=request.flag("follow"),
        previous=request.flag("previous"),
        timestamps=request.flag("timestamps"),
        since=since,
        tail_lines=_number(request, "tailLines", 0),
        limit_bytes=_number(request, "limitBytes", 1),
        stream="" if request.first("stream") == "All" else request.first("stream"),
    )


def _number(request: Request, name: str, minimum: int) -> int | None:
    text = request.first(name)
    if not text:
        return None
    value = whole_number(text)
    if value is None:
        raise BadRequest(f'{name}: Invalid value: "{text[:40]}": must be a number of 64 bits')
    if value < minimum:
        word = "greater than 0" if minimum else "greater than or equal to 0"
        raise BadRequest(f"{name}: Invalid value: {value}: must be {word}")
    return value
