"""Dispatch: an HTTP request to the verb that answers it, and the answer back to HTTP."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import orjson
from aiohttp import web

from pilotfish.apiserver import health
from pilotfish.apiserver.authentication import TokenUsers, User, authenticate
from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import (
    StatusError,
    internal,
    method_not_allowed,
    too_large,
)
from pilotfish.apiserver.listing import list_body, list_page
from pilotfish.apiserver.negotiation import (
    JSON,
    YAML,
    Wanted,
    negotiate,
    shaped_list,
    shaped_object,
    watch_shape,
)
from pilotfish.apiserver.pages import page
from pilotfish.apiserver.reading import get
from pilotfish.apiserver.routing import Route, route
from pilotfish.apiserver.verbs import verb_for
from pilotfish.apiserver.versions import from_stored
from pilotfish.apiserver.watching import error_frame, watch

if TYPE_CHECKING:
    from pilotfish.apiserver.connect.connector import Connector

log = logging.getLogger(__name__)

# kube-apiserver's own limit of a request body.
MAX_BODY: Final = 3 * 1024 * 1024
# Subresources whose bytes go to and from a kubelet, a Pod or a Service.
_CONNECTIONS: Final = frozenset({"attach", "exec", "log", "portforward", "proxy"})
_HEADERS: Final = {"Cache-Control": "no-cache, private"}


class Dispatcher:
    """Answers every request of one server."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._token_users = TokenUsers(core.tokens)
        self._connector: Connector | None = None

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; nothing but a cancellation comes out of it as an exception."""
        try:
            return await self._answer(request)
        except StatusError as error:
            return _failure(error)
        except web.HTTPRequestEntityTooLarge:
            return _failure(too_large(MAX_BODY))
        except ConnectionResetError:
            raise
        except Exception as error:
            log.exception("%s %s failed", request.method, request.path)
            return _failure(internal(f"{type(error).__name__}: {error}"))

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        core = self._core
        path = request.rel_url.path
        if path.startswith(health.PATHS):
            answer = health.health(path, "verbose" in request.rel_url.query)
            if answer is not None:
                return answer
        user = authenticate(request, self._token_users)
        found = route(core.catalog, path) if path.startswith("/api") else None
        if found is None:
            return page(core, request)
        if found.subresource in _CONNECTIONS:
            return await self._connected().handle(
                request, found.resource.plural, found.namespace, found.name, found.subresource
            )
        query = request.rel_url.query
        if request.method in ("GET", "HEAD"):
            return await self._read(request, found, query, user)
        return await self._write(request, found, query, user)

    def _connected(self) -> Connector:
        if self._connector is None:
            # Loaded when first needed: a server that starts has nobody to connect to yet.
            from pilotfish.apiserver.connect.connector import Connector

            self._connector = Connector(self._core.config, self._core.registry)
        return self._connector

    async def _read(
        self, request: web.BaseRequest, found: Route, query: Mapping[str, str], user: User
    ) -> web.StreamResponse:
        core, resource = self._core, found.resource
        call = Call(found, query, user)
        if not resource.is_stored:
            raise method_not_allowed()
        wanted = negotiate(request.headers.get("Accept", ""))
        include = query.get("includeObject", "Metadata")
        if found.watch or ("watch" in query and not found.subresource and call.flag("watch")):
            return await self._watch(request, call, wanted, include)
        if found.name:
            data = get(core, call)
            return _response(shaped_object(wanted, resource, data, include), wanted)
        listed = list_page(core, call)
        if wanted.shape:
            return _response(shaped_list(wanted, resource, listed, include), wanted)
        items = [from_stored(resource, entry.data) for entry in listed.entries]
        body = list_body(resource, items, listed.revision, listed.token, listed.remaining)
        return _response(body, wanted)

    async def _write(
        self, request: web.BaseRequest, found: Route, query: Mapping[str, str], user: User
    ) -> web.StreamResponse:
        verb = verb_for(request.method, found)
        body = await request.read()
        headers = request.headers
        call = Call(
            found,
            query,
            user,
            body,
            headers.get("Content-Type", ""),
            headers.get("User-Agent", ""),
        )
        wanted = negotiate(request.headers.get("Accept", ""))
        answer: Answer = await verb(self._core, call)
        data = answer.content
        if not isinstance(data, bytes):
            data = orjson.dumps(data)
        elif wanted.shape and not found.subresource:
            include = query.get("includeObject", "Metadata")
            data = shaped_object(wanted, found.resource, data, include)
        response = _response(data, wanted, answer.code)
        for text in call.warnings:
            response.headers.add("Warning", f"299 - {orjson.dumps(text).decode()}")
        return response

    async def _watch(
        self, request: web.BaseRequest, call: Call, wanted: Wanted, include: str
    ) -> web.StreamResponse:
        lines = watch(self._core, call, watch_shape(wanted, call.resource, include))
        # A refusal comes before the first line: then there is no stream yet, but a Status.
        first = await anext(lines)
        response = web.StreamResponse(headers={"Content-Type": JSON, **_HEADERS})
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            await response.write(first)
            async for line in lines:
                await response.write(line)
        except StatusError as error:
            await response.write(error_frame(error))
        finally:
            await lines.aclose()
        await response.write_eof()
        return response


def _response(body: bytes, wanted: Wanted, code: int = 200) -> web.Response:
    if wanted.media_type == YAML:
        import yaml

        body = yaml.safe_dump(orjson.loads(body), sort_keys=False).encode()
    headers = {"Content-Type": wanted.media_type, **_HEADERS}
    return web.Response(body=body, status=code, headers=headers)


def _failure(error: StatusError) -> web.Response:
    body = orjson.dumps(error.body())
    headers = {"Content-Type": JSON, **_HEADERS, **error.headers}
    return web.Response(body=body, status=error.code, headers=headers)
