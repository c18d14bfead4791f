"""URLs: `url("https://…").getHost()` (Kubernetes' URL library)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import SplitResult, parse_qs, quote

from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.functions import Function, Overload
from pilotfish.cel.request_uri import request_uri
from pilotfish.cel.types import BOOL, STRING, STRINGS, Type, map_of
from pilotfish.cel.values import TypeName

URL: Final = Type("kubernetes.URL")


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute URL, or the path of one."""

    cel_type: ClassVar = TypeName(URL.name)

    parts: SplitResult


def _url(text: str) -> Url:
    """As Go's url.ParseRequestURI takes it: with a scheme, or a path from the root."""
    try:
        return Url(request_uri(text))
    except ValueError as error:
        why = f"URL parse error during conversion from string: {text!r} is no URL"
        raise EvaluationError(why) from error


def _is_url(text: str) -> bool:
    try:
        _url(text)
    except EvaluationError:
        return False
    return True


def _host(url: Url) -> str:
    return url.parts.netloc.rpartition("@")[2]


def _hostname(url: Url) -> str:
    host = _host(url)
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _port(url: Url) -> str:
    return _host(url).rpartition("]")[2].partition(":")[2]


def _path(url: Url) -> str:
    return quote(url.parts.path, safe="/%:@!$&'()*+,;=~")


def _query(url: Url) -> dict[str, Any]:
    return parse_qs(url.parts.query, keep_blank_values=True)


def _part(name: str, doc: str, run: Any, result: Type = STRING) -> Function:
    return Function(name, doc, (Overload((URL,), result, run),), is_global=False, is_method=True)


FUNCTIONS: Final = (
    Function("url", "a URL", (Overload((STRING,), URL, _url),), has_syntax=True),
    Function("isURL", "whether a string is a URL", (Overload((STRING,), BOOL, _is_url),)),
    _part("getScheme", "the scheme", lambda url: url.parts.scheme),
    _part("getHost", "the host, with its port", _host),
    _part("getHostname", "the host, without its port", _hostname),
    _part("getPort", "the port as text; empty without", _port),
    _part("getEscapedPath", "the path, escaped", _path),
    _part("getQuery", "the parameters", _query, map_of(STRING, STRINGS)),
)
