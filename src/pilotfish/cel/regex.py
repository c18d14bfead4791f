"""Regular expressions: RE2, whose time is linear in the text, with the syntax of Go's.

Expressions run inside servers, on what strangers send: an engine that
goes back and tries again (Python's `re`) could be kept busy for ever.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import islice
from typing import Any

MAX_CHARS = 1000
# Of the compiled expression: RE2 gives up on one that needs more.
_MAX_BYTES = 4 << 20
# Administrators write schemas, and Go gives a pattern 128 MB: `(\p{L}\p{N}){1,500}` takes some.
_MAX_SCHEMA_BYTES = 64 << 20
_REMEMBERED = 64
_REMEMBERED_OF_SCHEMAS = 1024


class RegexError(ValueError):
    """The expression cannot be used; the message says why."""


@functools.lru_cache(_REMEMBERED)
def searcher(pattern: str) -> Callable[[str], bool]:
    """What says whether a text contains a match.

    Raises:
        RegexError: it is no regular expression, or too large.
    """
    return _searcher(_compiled(pattern))


@functools.lru_cache(_REMEMBERED_OF_SCHEMAS)
def schema_searcher(pattern: str) -> Callable[[str], bool]:
    """What says whether a text contains a match of a schema's `pattern`, of any length.

    Raises:
        RegexError: it is no regular expression, or too large.
    """
    return _searcher(_compile(pattern, _MAX_SCHEMA_BYTES))


def own_searcher(pattern: str) -> Callable[[str], bool]:
    """As schema_searcher, for a pattern of this program: compiled when the first text comes.

    Compiled patterns take megabytes, and most clusters never have a text for them.
    """

    @functools.cache
    def compiled() -> Callable[[str], bool]:
        return _searcher(_compile(pattern, _MAX_SCHEMA_BYTES))

    return lambda text: compiled()(text)


def _searcher(compiled: Any) -> Callable[[str], bool]:
    def matches(text: str) -> bool:
        return compiled.search(text.encode("utf-8", "surrogatepass")) is not None

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
    return _compile(pattern, _MAX_BYTES)


def _compile(pattern: str, most_bytes: int) -> Any:
    # Loaded with the first pattern: most clusters have none.
    import re2  # type: ignore[import-untyped]

    from pilotfish.cel.go_patterns import GoPatternError, to_re2

    options = re2.Options()
    options.max_mem = most_bytes
    options.log_errors = False
    options.never_capture = True
    try:
        # As bytes: for text the package would work out offsets that nobody asks for.
        return re2.compile(to_re2(pattern).encode("utf-8", "surrogatepass"), options)
    except GoPatternError as error:
        raise RegexError(f"error parsing regexp: {error}") from error
    except re2.error as error:
        told = error.args[0] if error.args else ""
        reason = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
        raise RegexError(f"no regular expression of RE2: {reason}") from error
