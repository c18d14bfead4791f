"""URLs as servers get them: absolute, or a path from the root (Go's url.ParseRequestURI)."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

from pilotfish.cel.regex import own_searcher

_has_scheme: Final = own_searcher(r"^[a-zA-Z][a-zA-Z0-9+.-]*:")
_has_control: Final = own_searcher(r"[\x00-\x1f\x7f]")
_has_bad_escape: Final = own_searcher(r"%([^0-9a-fA-F]|[0-9a-fA-F]([^0-9a-fA-F]|$)|$)")
_is_user: Final = own_searcher(r"^[A-Za-z0-9._:~!$&'()*+,;=%@-]*$")
# A host has no escapes but those of letters beyond ASCII, and of `%` before a zone.
_is_host: Final = own_searcher(r"^([^ \\^`{|}%]|%25|%[89a-fA-F][0-9a-fA-F])*$")
_has_good_port: Final = own_searcher(r"^([^:\[\]]*|\[[^\]]*\])(:[0-9]*)?$")


def request_uri(text: str) -> SplitResult:
    """The parts of a URL; what follows `#` belongs to the path or the query.

    Raises:
        ValueError: it is none.
    """
    if text == "*":
        return SplitResult("", "", text, "", "")
    has_scheme = _has_scheme(text)
    if _has_control(text) or not (has_scheme or text.startswith("/")):
        raise ValueError(f"{text!r} is no URL")
    before_query = text.partition("?")[0]
    rest = before_query.partition(":")[2] if has_scheme else before_query
    if rest.startswith("/") and _has_bad_escape(rest):
        raise ValueError(f"{text!r} has an invalid escape")
    if has_scheme and rest.startswith("//"):
        _check_authority(rest[2:].partition("/")[0])
    if not has_scheme:
        # Two slashes begin a path here, no host.
        path, mark, query = text.partition("?")
        return SplitResult("", "", path, query if mark else "", "")
    return urlsplit(text, allow_fragments=False)


def _check_authority(authority: str) -> None:
    user, at, host = authority.rpartition("@")
    if (at and not _is_user(user)) or not _is_host(host) or not _has_good_port(host):
        raise ValueError(f"{authority!r} is no host")
