"""Responses: answers and refusals as HTTP, in the encoding and the form that the client wants."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final, TypeVar

import orjson
from aiohttp import web

from pilotfish.apiserver import pretty
from pilotfish.apiserver.errors import StatusError, internal, too_large
from pilotfish.apiserver.limits import MAX_BODY
from pilotfish.apiserver.negotiation import JSON, YAML, Wanted
from pilotfish.apiserver.trail import Trail

log = logging.getLogger(__name__)

_AnyResponse = TypeVar("_AnyResponse", bound=web.StreamResponse)

HEADERS: Final = {"Cache-Control": "no-cache, private"}


def warn(response: web.StreamResponse, texts: Iterable[str]) -> None:
    """Add warnings to a response (RFC 7234, 5.5)."""
    for text in texts:
        response.headers.add("Warning", f"299 - {orjson.dumps(text).decode()}")


def readable(request: web.BaseRequest, response: _AnyResponse) -> _AnyResponse:
    """The response, indented where a person reads it."""
    if pretty.is_wanted(request):
        pretty.indent(response)
    return response


async def encoded_response(body: bytes, wanted: Wanted, code: int = 200) -> web.Response:
    """The response with a JSON body, in the encoding that the client wants."""
    if wanted.media_type == YAML:
        # Few clients ask for it; the writer is not loaded for the others.
        from pilotfish.apiserver.yaml_answer import json_to_yaml

        body = await json_to_yaml(body)
    headers = {"Content-Type": wanted.media_type, **HEADERS}
    return web.Response(body=body, status=code, headers=headers)


def refusal(request: web.BaseRequest, error: Exception, trail: Trail | None) -> web.Response:
    """The answer for an exception.

    The error must not become a variable of where it was caught: its traceback refers to there,
    and only the garbage collector would find the two.
    """
    failure = _failure_of(request, error)
    body = failure.body()
    if trail is not None:
        trail.failure = body
    headers = {"Content-Type": JSON, **HEADERS, **failure.headers}
    response = web.Response(body=orjson.dumps(body), status=failure.code, headers=headers)
    return readable(request, response)


def _failure_of(request: web.BaseRequest, error: Exception) -> StatusError:
    """The refusal that answers an exception."""
    if isinstance(error, StatusError):
        return error
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return too_large(MAX_BODY)
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return internal(f"{type(error).__name__}: {error}")
