"""Connections: the subresources whose bytes go to and from a kubelet, Pod or Service."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import not_found
from pilotfish.apiserver.routing import Route
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import resource

SUBRESOURCES: Final = frozenset({"attach", "exec", "log", "portforward", "proxy"})


async def connect(core: Core, request: web.Request, route: Route) -> web.StreamResponse:
    """Hand a request over to `pilotfish.apiserver.connect`."""
    # Loaded when first needed: a server that starts has nobody to connect to yet.
    from pilotfish.apiserver.connect import handle

    def get_object(resource_name: str, namespace: str, name: str) -> Object:
        key = f"{namespace}/{name}" if namespace else name
        entry = core.registry.collection(resource_name).get(key)
        if entry is None:
            raise not_found(resource(resource_name), name)
        return entry.decode()

    return await handle(
        request,
        route.resource,
        route.namespace,
        route.name,
        route.subresource,
        route.path,
        get_object,
    )
