"""Connections: the subresources whose bytes go to and from a kubelet, Pod or Service."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from aiohttp import web

from pilotfish.apiserver.core import Core
from pilotfish.apiserver.routing import Route

if TYPE_CHECKING:
    from pilotfish.apiserver.connect.connector import Connector

SUBRESOURCES: Final = frozenset({"attach", "exec", "log", "portforward", "proxy"})


async def connect(core: Core, request: web.Request, route: Route) -> web.StreamResponse:
    """Hand a request over to `pilotfish.apiserver.connect`.

    Raises:
        StatusError: what kube-apiserver says when it cannot pass the request on.
    """
    return await _connector(core).handle(
        request, route.resource.full_name, route.namespace, route.name, route.subresource
    )


@lru_cache(maxsize=1)
def _connector(core: Core) -> Connector:
    # Loaded when first needed: a server that starts has nobody to connect to yet.
    from pilotfish.apiserver.connect.connector import Connector

    return Connector(core.config, core.registry)
