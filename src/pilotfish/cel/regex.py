"""Regular expressions: RE2, whose time is linear in the text.

Expressions run inside servers, on what strangers send: an engine that
goes back and tries again (Python's `re`) could be kept busy for ever.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import islice
from typing import Any

import re2  # type: ignore[import-untyped]

MAX_CHARS = 1000
# Of the compiled expression: RE2 gives up on one that needs more.
_MAX_BYTES = 4 << 20
_REMEMBERED = 64


class RegexError(ValueError):
    """The expression cannot be used; the message says why."""


@functools.lru_cache(_REMEMBERED)
def searcher(pattern: str) -> Callable[[str], bool]:
    """What says whether a text contains a match.

    Raises:
        RegexError: it is no regular expression, or too large.
    """
    search = _compiled(pattern).search

    def matches(text: str) -> bool:
        return search(text.encode("utf-8", "surrogatepass")) is not None

    return matches


def found(pattern: str, text: str, most: int = -1) -> list[str]:
    """The matches of an expression in a text, from left to right; at most so many, if not < 0.

    Raises:
        RegexError: it is no regular expression, or too large.
    """
    matches = _compiled(pattern).finditer(text.encode("utf-8", "surrogatepass"))
    pieces = (match[0] for match in (matches if most < 0 else islice(matches, most)))
    return [piece.decode("utf-8", "surrogatepass") for piece in pieces]


@functools.lru_cache(_REMEMBERED)
def _compiled(pattern: str) -> Any:
    if len(pattern) > MAX_CHARS:
        raise RegexError(f"a regular expression has at most {MAX_CHARS} characters")
    options = re2.Options()
    options.max_mem = _MAX_BYTES
    options.log_errors = False
    options.never_capture = True
    try:
        # As bytes: for text the package would work out offsets that nobody asks for.
        return re2.compile(pattern.encode("utf-8", "surrogatepass"), options)
    except re2.error as error:
        told = error.args[0] if error.args else ""
        reason = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
        raise RegexError(f"no regular expression of RE2: {reason}") from error
