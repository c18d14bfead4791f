"""Dispatch: an HTTP request to the verb that answers it, and the answer back to HTTP."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import orjson
from aiohttp import web

from pilotfish.apiserver.access import write_access_line
from pilotfish.apiserver.audit import AuditLog
from pilotfish.apiserver.authentication import User, authenticate
from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.compression import compress, is_worth_it
from pilotfish.apiserver.content import read_content
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.entries import Page
from pilotfish.apiserver.errors import (
    StatusError,
    method_not_allowed,
)
from pilotfish.apiserver.health import PATHS as HEALTH_PATHS
from pilotfish.apiserver.health import Health
from pilotfish.apiserver.listing import list_page
from pilotfish.apiserver.messages import send_lines, wants_messages
from pilotfish.apiserver.metrics import Metrics
from pilotfish.apiserver.negotiation import (
    JSON,
    Wanted,
    negotiate,
    shaped_list,
    shaped_object,
    watch_shape,
)
from pilotfish.apiserver.options import check_write_options
from pilotfish.apiserver.pages import page
from pilotfish.apiserver.rbac.attributes import Attributes, attributes_of
from pilotfish.apiserver.rbac.authorizer import MASTERS
from pilotfish.apiserver.rbac.escalation import check_escalation, is_guarded
from pilotfish.apiserver.rbac.impersonation import acting_user
from pilotfish.apiserver.rbac.node_authorizer import node_of
from pilotfish.apiserver.rbac.node_restriction import restrict
from pilotfish.apiserver.rbac.signers import check_signer, concerns_signers
from pilotfish.apiserver.reading import get
from pilotfish.apiserver.responses import HEADERS, encoded_response, readable, refusal, warn
from pilotfish.apiserver.routing import Route, route
from pilotfish.apiserver.trail import Trail
from pilotfish.apiserver.verbs import REMOVING, Verb, verb_for
from pilotfish.apiserver.warnings.registry import deprecation
from pilotfish.apiserver.watching import error_frame, watch
from pilotfish.client.exposition import MEDIA_TYPE
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource

if TYPE_CHECKING:
    from pilotfish.apiserver.connect.connector import Connector

# Subresources whose bytes go to and from a kubelet, a Pod or a Service.
_CONNECTIONS: Final = frozenset({"attach", "exec", "log", "portforward", "proxy"})
_STREAMS: Final = frozenset({"attach", "exec", "portforward"})
# By which methods; a proxy passes on any.
_CONNECTING: Final = {"log": ("GET", "HEAD"), **dict.fromkeys(_STREAMS, ("GET", "POST"))}
# Beside health, what strangers may see: by it kubectl knows whom it speaks to.
_OPEN_PAGES: Final = ("/version", "/version/")
# What is counted for a request whose client left before it was answered (nginx's code).
_CLIENT_GONE: Final = 499


class Dispatcher:
    """Answers every request of one server."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._metrics = Metrics(core.registry)
        self._health = Health()
        self._audit = AuditLog(core.config.audit_log) if core.config.audit_log else None
        self._connector: Connector | None = None

    def close(self) -> None:
        """Let go of the audit log."""
        if self._audit is not None:
            self._audit.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; nothing but a cancellation comes out of it as an exception."""
        path = request.rel_url.path
        if path.startswith(HEALTH_PATHS):
            is_reachable = self._core.registry.is_reachable
            query = request.rel_url.query
            excluded = query.getall("exclude", [])
            answer = self._health.answer(path, "verbose" in query, excluded, is_reachable)
            if answer is not None:
                return answer
        is_api = path.startswith("/api")
        # Who says "0" is content with what was true at some time.
        if is_api and request.rel_url.query.get("resourceVersion") != "0":
            try:
                await self._core.registry.catch_up()
            except StatusError as error:
                return refusal(request, error, None)
        found = route(self._core.catalog, path) if is_api else None
        if found is None:
            asked, version = Attributes(request.method.lower(), path=path), ""
        else:
            asked = attributes_of(request.method, found, request.rel_url.query)
            version = found.resource.version
        trail = None
        if self._audit is not None:
            trail = Trail(self._audit, request, asked, version)
        dry_run = request.method != "GET" and "dryRun" in request.rel_url.query
        kind = self._metrics.begin(asked, version, dry_run)
        begun = time.perf_counter()
        # Long answers end when the client leaves; no other does.
        code = 200 if not kind.gauge else _CLIENT_GONE
        try:
            response = await self._answer(request, asked, found, trail)
            code = response.status
            return response
        except ConnectionResetError:
            raise
        except Exception as error:
            response = refusal(request, error, trail)
            code = response.status
            return response
        finally:
            taken_s = time.perf_counter() - begun
            kind.end(code, taken_s)
            # Who streams takes as long as he likes.
            latency_s = taken_s if kind.gauge else 0.0
            write_access_line(request, asked, code, latency_s, self._core.token_users)
            if trail is not None:
                trail.complete(code)

    async def _answer(
        self,
        request: web.BaseRequest,
        asked: Attributes,
        found: Route | None,
        trail: Trail | None,
    ) -> web.StreamResponse:
        core = self._core
        if asked.path in _OPEN_PAGES:
            return readable(request, await page(core, request))
        user = authenticate(request, core.token_users)
        if trail is not None:
            trail.user = trail.acting = user
        acting = acting_user(core.authorizer, user, request.headers)
        if trail is not None:
            trail.acting = acting
        for right in _rights(request, asked):
            core.authorizer.check(acting, right)
        if found is None:
            pages = {"/metrics": self._metrics.text, "/metrics/slis": self._health.metrics}
            if asked.path in pages:
                headers = {"Content-Type": MEDIA_TYPE}
                return web.Response(body=pages[asked.path]().encode(), headers=headers)
            response: web.StreamResponse = await page(core, request)
        elif found.subresource in _CONNECTIONS:
            if request.method not in _CONNECTING.get(found.subresource, (request.method,)):
                raise method_not_allowed()
            if trail is not None:
                trail.start()
            return await self._connected().handle(
                request, found.resource.plural, found.namespace, found.name, found.subresource
            )
        elif request.method in ("GET", "HEAD"):
            if trail is not None and asked.verb == "watch":
                trail.start()
            response = await self._read(request, found, request.rel_url.query, acting)
        else:
            response = await self._write(request, found, request.rel_url.query, acting)
        if found is not None and isinstance(found.resource, CustomResource):
            warn(response, filter(None, [found.resource.deprecation]))
        elif found is not None:
            warn(response, filter(None, [deprecation(found.resource)]))
        if not asked.path.startswith("/openapi"):
            readable(request, response)
        if is_worth_it(request, response):
            await compress(response)
        return response

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
        if found.watch or (
            "watch" in query and not (found.subresource or found.name) and call.flag("watch")
        ):
            if "watch" not in resource.verbs:
                raise method_not_allowed()
            return await self._watch(request, call, wanted, include)
        if found.name:
            data = get(core, call)
            return await encoded_response(shaped_object(wanted, resource, data, include), wanted)
        listed = list_page(core, call)
        return await encoded_response(shaped_list(wanted, resource, listed, include), wanted)

    async def _write(
        self, request: web.BaseRequest, found: Route, query: Mapping[str, str], user: User
    ) -> web.StreamResponse:
        verb = verb_for(request.method, found)
        headers = request.headers
        content = await read_content(
            await request.read(), headers.get("Content-Type", ""), found.resource.kind
        )
        call = Call(found, query, user, content, headers.get("User-Agent", ""))
        wanted = negotiate(request.headers.get("Accept", ""))
        check_write_options(request.method, call)
        method = request.method
        answer = await self._core.registry.attempt(lambda: self._verb(method, verb, call))
        data = answer.content
        include = query.get("includeObject", "Metadata")
        if isinstance(data, Page):
            data = shaped_list(wanted, found.resource, data, include)
        elif not isinstance(data, bytes):
            data = orjson.dumps(data)
        elif wanted.shape and not found.subresource:
            data = shaped_object(wanted, found.resource, data, include)
        response = await encoded_response(data, wanted, answer.code)
        # Once, though the verb may have run several times.
        warn(response, dict.fromkeys(call.warnings))
        return response

    async def _verb(self, method: str, verb: Verb, call: Call) -> Answer:
        node = node_of(call.user)
        if node:
            await restrict(self._core, node, method, call, partial(self._preview, verb, call))
        if verb not in REMOVING and MASTERS not in call.user.groups:
            if is_guarded(call.resource):
                await self._check_escalation(verb, call)
            if concerns_signers(call):
                check_signer(self._core, call, await self._preview(verb, call))
        return await verb(self._core, call)

    async def _check_escalation(self, verb: Verb, call: Call) -> None:
        """See that a write of a role or binding gives away nothing that its author lacks.

        Raises:
            StatusError: 403 when it does; and what the verb raises.
        """
        new = await self._preview(verb, call)
        entry = self._core.registry.latest(call.resource.full_name, call.key)
        old = entry.decode() if entry is not None and call.route.name else None
        check_escalation(self._core.authorizer, call.user, call.resource, new, old, call.route.name)

    async def _preview(self, verb: Verb, call: Call) -> Object:
        """The object that a verb would make.

        The verb runs dry. It has nothing to wait for then, so the real run finds everything as
        this one did.

        Raises:
            StatusError: what the verb raises.
        """
        dry = replace(call, query={**call.query, "dryRun": "All"}, warnings=[])
        content = (await verb(self._core, dry)).content
        assert not isinstance(content, Page), "a verb that takes objects away makes none"
        obj: Object = orjson.loads(content) if isinstance(content, bytes) else content
        return obj

    async def _watch(
        self, request: web.BaseRequest, call: Call, wanted: Wanted, include: str
    ) -> web.StreamResponse:
        async with aclosing(
            watch(self._core, call, watch_shape(wanted, call.resource, include))
        ) as lines:
            # A refusal comes before the first line: then there is no stream yet, but a Status.
            first = await anext(lines)
            async with aclosing(self._counted(call.resource, first, lines)) as blocks:
                if wants_messages(request.headers):
                    return await send_lines(request, blocks)
                response = web.StreamResponse(headers={"Content-Type": JSON, **HEADERS})
                response.enable_chunked_encoding()
                await response.prepare(request)
                async for block in blocks:
                    await response.write(block)
                await response.write_eof()
                return response

    async def _counted(
        self, resource: Resource, first: bytes, lines: AsyncIterator[bytes]
    ) -> AsyncGenerator[bytes]:
        """The lines of a watch, the first of which is known; trouble is an event of its own."""
        place = (resource.group, resource.version, resource.plural)
        self._metrics.sent(*place, first.count(b"\n"))
        yield first
        try:
            async for line in lines:
                self._metrics.sent(*place, line.count(b"\n"))
                yield line
        except StatusError as error:
            yield error_frame(error)


def _rights(request: web.BaseRequest, asked: Attributes) -> list[Attributes]:
    """All that a request takes the right to."""
    if asked.subresource in _STREAMS:
        # Whoever may only read must not run commands by a GET (a WebSocket's method).
        return [asked, asked._replace(verb="create")]
    if (asked.group, asked.resource, asked.subresource) != ("", "nodes", "proxy"):
        return [asked]
    from pilotfish.apiserver.connect.rights import rights_of

    url = request.rel_url
    return rights_of(asked, url.raw_path, url.raw_query_string, request.headers)
