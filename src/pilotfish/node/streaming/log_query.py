"""The query of /containerLogs as the log reader's options."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pilotfish.node.logs.reader import LogOptions
from pilotfish.node.streaming.http1 import BadRequest, Request
from pilotfish.objects.times import parse_time


def log_options(request: Request) -> LogOptions:
    """Reads the fields of PodLogOptions. Raises BadRequest that names the field."""
    since_s = _number(request, "sinceSeconds", 1)
    since = None
    if since_s is not None:
        since = datetime.now(UTC) - timedelta(seconds=since_s)
    elif text := request.first("sinceTime"):
        try:
            since = parse_time(text)
        except ValueError as error:
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
    try:
        value = int(text)
    except ValueError:
        raise BadRequest(f'{name}: Invalid value: "{text}": must be a number') from None
    if value < minimum:
        word = "greater than 0" if minimum else "greater than or equal to 0"
        raise BadRequest(f"{name}: Invalid value: {value}: must be {word}")
    return value
