"""Log fields: what is known of a line of the log beside its sentence, for programs that read it.

    with log_fields(kind="Pod", object="default/web"):
        await work()  # whatever is logged in there, by whomever, carries both

    log.info("HTTP", extra=fields(verb="get", resp=500))  # of this line only

Tasks that are started inside of the block keep the fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from logging import LogRecord
from typing import Any

_ATTRIBUTE = "fields"
_current: ContextVar[Mapping[str, Any]] = ContextVar("log_fields", default={})  # noqa: B039


@contextmanager
def log_fields(**values: Any) -> Iterator[None]:
    """Add fields to whatever is logged in the block."""
    token = _current.set({**_current.get(), **values})
    try:
        yield
    finally:
        _current.reset(token)


def fields(**values: Any) -> dict[str, Any]:
    """Fields of one line, for the `extra` of a logging call."""
    return {_ATTRIBUTE: values}


def context() -> Mapping[str, Any]:
    """The fields of the block that the caller is in."""
    return _current.get()


def fields_of(record: LogRecord) -> Mapping[str, Any]:
    """The fields that a line was given by itself."""
    own: Mapping[str, Any] = getattr(record, _ATTRIBUTE, {})
    return own
