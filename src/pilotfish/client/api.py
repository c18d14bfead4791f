"""Requests to the Kubernetes API: get, list, watch, create, update, patch, delete.

Resources are named as in `objects.resources`: `pods`, `replicasets.apps`.

    async with Client(ClientConfig.from_kubeconfig()) as client:
        pod = await client.get("pods", "go-demo-2-api", namespace="default")
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Literal, Self

import aiohttp
import orjson

from pilotfish.client.config import ClientConfig
from pilotfish.client.errors import ApiError, Unreachable, error_of
from pilotfish.objects.meta import Object, name_of, namespace_of
from pilotfish.objects.resources import resource

PatchKind = Literal["merge", "strategic", "json"]

_PATCH_TYPES: dict[PatchKind, str] = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}

# A watch is silent while nothing happens. The server ends one after this time,
# so that a connection whose other end vanished is noticed sooner or later.
WATCH_TIMEOUT_S = 600
# One event of a watch may be as large as the largest object.
MAX_EVENT_BYTES = 16 * 1024 * 1024
# Each request at the same time is a connection, and its TLS handshake costs more than most
# requests: beyond a few, waiting for one that is open is quicker. Watches do not count.
REQUESTS_AT_ONCE = 8

# No whole-request limit: watches last. A server that is gone shows in connecting.
_NO_LIMIT = aiohttp.ClientTimeout(total=None, sock_connect=5)


class Client:
    """A connection pool to one API server.

    Every method raises `ApiError` (or one of its kinds) when the server
    refuses, and `Unreachable` when no answer came.
    """

    def __init__(self, config: ClientConfig, user_agent: str = "pilotfish") -> None:
        self.config = config
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(REQUESTS_AT_ONCE)

    async def __aenter__(self) -> Self:
        connector: aiohttp.BaseConnector
        if self.config.socket is not None:
            path = str(self.config.socket)
            connector = aiohttp.UnixConnector(path, limit=0, keepalive_timeout=60)
        else:
            connector = aiohttp.TCPConnector(
                ssl=self.config.ssl_context() or False, limit=0, keepalive_timeout=60
            )
        self._session = aiohttp.ClientSession(
            connector=connector,
            # On one machine, compressing costs more than it saves.
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
            timeout=_NO_LIMIT,
            read_bufsize=1 << 18,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session:
            await self._session.close()

    async def get(self, name_of_resource: str, name: str, namespace: str = "") -> Object:
        """The object of that name."""
        path = resource(name_of_resource).path(namespace, name)
        return await self.request("GET", path)

    async def list(
        self,
        name_of_resource: str,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
    ) -> Object:
        """The List object of all that match; `namespace=""` means all namespaces.

        `resource_version="0"` takes what the server has at hand.
        """
        params = _params(
            labelSelector=label_selector,
            fieldSelector=field_selector,
            resourceVersion=resource_version,
        )
        return await self.request("GET", resource(name_of_resource).path(namespace), params)

    async def create(self, name_of_resource: str, obj: Object, subresource: str = "") -> Object:
        """Create an object in the namespace that it names."""
        name = name_of(obj) if subresource else ""
        path = resource(name_of_resource).path(namespace_of(obj), name, subresource)
        return await self.request("POST", path, body=obj)

    async def update(self, name_of_resource: str, obj: Object, subresource: str = "") -> Object:
        """Replace an object (PUT); its resourceVersion, if it has one, must be the present one."""
        path = resource(name_of_resource).path(namespace_of(obj), name_of(obj), subresource)
        return await self.request("PUT", path, body=obj)

    async def patch(
        self,
        name_of_resource: str,
        name: str,
        patch: object,
        namespace: str = "",
        kind: PatchKind = "merge",
        subresource: str = "",
    ) -> Object:
        """Change part of an object."""
        path = resource(name_of_resource).path(namespace, name, subresource)
        return await self.request("PATCH", path, body=patch, content_type=_PATCH_TYPES[kind])

    async def delete(
        self,
        name_of_resource: str,
        name: str,
        namespace: str = "",
        grace_period_s: int | None = None,
        uid: str = "",
        propagation: Literal["", "Background", "Foreground", "Orphan"] = "",
    ) -> Object:
        """Delete an object; with `uid`, only if it is still that very one (else `Conflict`)."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if grace_period_s is not None:
            options["gracePeriodSeconds"] = grace_period_s
        if uid:
            options["preconditions"] = {"uid": uid}
        if propagation:
            options["propagationPolicy"] = propagation
        path = resource(name_of_resource).path(namespace, name)
        return await self.request("DELETE", path, body=options)

    async def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> Object:
        """Send a request and read the JSON object that it answers with."""
        headers = {"Content-Type": content_type} if body is not None else None
        data = orjson.dumps(body) if body is not None else None
        try:
            async with self._slots, self._open(method, path, params, data, headers) as response:
                content = await response.read()
                if response.status >= 400:
                    raise _error(content, response.status)
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{method} {self.config.server}{path}: {error}") from error
        answer: Object = orjson.loads(content)
        return answer

    async def watch(
        self,
        name_of_resource: str,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        timeout_s: int = WATCH_TIMEOUT_S,
    ) -> AsyncIterator[tuple[str, Object]]:
        """Changes after `resource_version`, as (type, object); ends when the server ends it.

        Types are ADDED, MODIFIED, DELETED and BOOKMARK. An ERROR event is raised
        as the `ApiError` that it carries: `Gone` means list again.
        """
        params = _params(
            watch="true",
            allowWatchBookmarks="true",
            labelSelector=label_selector,
            fieldSelector=field_selector,
            resourceVersion=resource_version,
            timeoutSeconds=str(timeout_s),
        )
        path = resource(name_of_resource).path(namespace)
        try:
            async with self._open("GET", path, params) as response:
                if response.status >= 400:
                    raise _error(await response.read(), response.status)
                # A server that vanished without a word is noticed at the watch's own end.
                async with asyncio.timeout(timeout_s + 30):
                    async for line in lines(response.content.iter_any()):
                        event = orjson.loads(line)
                        if event["type"] == "ERROR":
                            raise error_of(event["object"], event["object"].get("code", 500))
                        yield event["type"], event["object"]
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unreachable(f"watch {self.config.server}{path}: {error}") from error

    async def stream(
        self, path: str, params: Mapping[str, str] | None = None, silence_s: float | None = None
    ) -> AsyncIterator[bytes]:
        """The body of an answer as it comes, piece by piece.

        Args:
            silence_s: after so long without a byte the connection counts as broken; None: never.
        """
        limits = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=silence_s)
        try:
            async with self._open("GET", path, params, timeout=limits) as response:
                if response.status >= 400:
                    raise _error(await response.read(), response.status)
                async for piece in response.content.iter_any():
                    yield piece
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unreachable(f"GET {self.config.server}{path}: {error}") from error

    def _open(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("the client is used outside its 'async with' block")
        token = self.config.bearer_token()
        if token:
            headers = {**(headers or {}), "Authorization": f"Bearer {token}"}
        return self._session.request(
            method,
            self.config.server + path,
            params=params,
            data=data,
            headers=headers,
            server_hostname=self.config.server_name or None,
            timeout=timeout or _NO_LIMIT,
        )


async def lines(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The lines of a stream that are not empty, of any length up to `MAX_EVENT_BYTES`."""
    pending = bytearray()
    async for chunk in pieces:
        pending += chunk
        if b"\n" not in chunk:
            if len(pending) > MAX_EVENT_BYTES:
                raise Unreachable(f"a watch event is larger than {MAX_EVENT_BYTES} bytes")
            continue
        *lines, rest = bytes(pending).split(b"\n")
        pending = bytearray(rest)
        for line in lines:
            if line:
                yield line


def _params(**params: str) -> dict[str, str]:
    return {name: value for name, value in params.items() if value}


def _error(content: bytes, code: int) -> ApiError:
    try:
        status = orjson.loads(content)
    except orjson.JSONDecodeError:
        status = None
    if not isinstance(status, dict):
        status = {"message": content.decode(errors="replace").strip()[:500]}
    return error_of(status, code)
