"""Indented JSON for people, who ask for it or read with a browser, curl or Wget.

As kube-apiserver decides it (its negotiation.isPrettyPrint).
"""

from __future__ import annotations

from typing import Final

import orjson
from aiohttp import web

from pilotfish.apiserver.negotiation import JSON

_OF_PEOPLE: Final = ("curl", "Wget", "Mozilla/5.0")
_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
# Nobody reads longer answers as they are, and other requests would wait while one is indented.
_MOST_BYTES: Final = 4 * 1024 * 1024


def is_wanted(request: web.BaseRequest) -> bool:
    """Whether a person wants to read the answer."""
    asked = request.rel_url.query.get("pretty", "")
    if asked:
        return asked in _TRUE
    accepted = request.headers.get("Accept", "").replace(" ", "")
    if "pretty=1" in accepted.replace(",", ";").split(";"):
        return True
    return request.headers.get("User-Agent", "").startswith(_OF_PEOPLE)


def indent(response: web.StreamResponse) -> None:
    """Indent the body of a JSON response, in place."""
    if not isinstance(response, web.Response) or response.content_type != JSON:
        return
    body = response.body
    if isinstance(body, bytes) and 0 < len(body) <= _MOST_BYTES:
        response.body = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)
