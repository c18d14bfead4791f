"""Access lines: the log of requests that took long or failed, as kube-apiserver's httplog has it.

Ordinary requests are counted by the metrics and, where that is wanted, written to the audit log. A
line names the path without its query: what is run in a Pod may be a secret. No header but the
program's name is written.
"""

from __future__ import annotations

import logging
from typing import Final

from aiohttp import web

from pilotfish.apiserver.authentication import TokenUsers, authenticate
from pilotfish.apiserver.errors import StatusError
from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.client.log_fields import fields

log = logging.getLogger(__name__)

# kube-apiserver aims at answering within a second ("Kubernetes scalability and performance SLIs").
_SLOW_S: Final = 1.0
_FAILED: Final = 500


def write_access_line(
    request: web.BaseRequest, asked: Attributes, code: int, latency_s: float, users: TokenUsers
) -> None:
    """Write the line of a request that has been answered, if it took long or failed.

    Args:
        code: the HTTP status; of an answer that was to go on and on, only a failure counts.
        latency_s: how long it took; 0 where that says nothing.
    """
    if code < _FAILED and latency_s < _SLOW_S:
        return
    try:
        user = authenticate(request, users).name
    except StatusError:
        user = ""
    about = {
        "verb": asked.verb,
        "path": request.rel_url.path,
        "latency": f"{latency_s:.3f}s",
        "resp": code,
        "user": user,
        "userAgent": request.headers.get("User-Agent", ""),
        "srcIP": request.remote or "",
    }
    if asked.namespace:
        about["namespace"] = asked.namespace
    log.log(logging.ERROR if code >= _FAILED else logging.WARNING, "HTTP", extra=fields(**about))
