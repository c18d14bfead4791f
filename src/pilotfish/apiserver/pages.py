"""Pages: the fixed paths beside the resources: discovery, version, OpenAPI."""

from __future__ import annotations

import orjson
from aiohttp import web

from pilotfish.apiserver import discovery
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import method_not_allowed, path_not_found
from pilotfish.apiserver.negotiation import JSON, negotiate
from pilotfish.objects.meta import Object


def page(core: Core, request: web.BaseRequest) -> web.Response:
    """The page at a path that names no resource.

    Raises:
        StatusError: 404 for a path that is nothing at all, 405 for another method than GET.
    """
    path = request.rel_url.path.rstrip("/") or "/"
    headers: dict[str, str] = {}
    if path in ("/api", "/apis"):
        wanted = negotiate(request.headers.get("Accept", ""))
        if wanted.wants_discovery_version:
            version = wanted.wants_discovery_version
            content: Object | None = discovery.aggregated(core.catalog, path == "/api", version)
            headers["Content-Type"] = (
                f"{JSON};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
            )
        else:
            content = _fixed(core, path, request.host)
        headers["Vary"] = "Accept"
    elif path.startswith("/openapi/"):
        return _openapi(core, path, request)
    else:
        content = _fixed(core, path, request.host)
    if content is None:
        raise path_not_found()
    if request.method not in ("GET", "HEAD"):
        raise method_not_allowed()
    return web.Response(body=orjson.dumps(content), headers={"Content-Type": JSON, **headers})


def _openapi(core: Core, path: str, request: web.BaseRequest) -> web.Response:
    """The OpenAPI documents, whose makers are loaded when somebody asks."""
    from pilotfish.apiserver import openapi, openapi_protobuf

    content: Object | None = None
    match path.split("/")[2:]:
        case ["v2"] if openapi_protobuf.ACCEPTED in request.headers.get("Accept", ""):
            body = openapi_protobuf.encode_document(openapi.document_v2(core.catalog))
            return web.Response(body=body, headers={"Content-Type": openapi_protobuf.MEDIA_TYPE})
        case ["v2"]:
            content = openapi.document_v2(core.catalog)
        case ["v3"]:
            content = openapi.index(core.catalog)
        case ["v3", "api", version]:
            content = openapi.document_v3(core.catalog, "", version)
        case ["v3", "apis", group, version]:
            content = openapi.document_v3(core.catalog, group, version)
    if content is None:
        raise path_not_found()
    return web.Response(body=orjson.dumps(content), headers={"Content-Type": JSON})


def _fixed(core: Core, path: str, host: str) -> Object | None:
    match path.split("/")[1:]:
        case [""]:
            return {"paths": _paths(core)}
        case ["version"]:
            return discovery.version()
        case ["api"]:
            return discovery.core_versions(host)
        case ["apis"]:
            return discovery.group_list(core.catalog)
        case ["api", version]:
            return discovery.resource_list(core.catalog, "", version)
        case ["apis", group]:
            return discovery.single_group(core.catalog, group)
        case ["apis", group, version]:
            return discovery.resource_list(core.catalog, group, version)
    return None


def _paths(core: Core) -> list[str]:
    paths = [
        "/api",
        "/apis",
        "/healthz",
        "/livez",
        "/openapi/v2",
        "/openapi/v3",
        "/readyz",
        "/version",
    ]
    for group, versions in core.catalog.groups().items():
        root = f"/apis/{group}" if group else "/api"
        paths.append(root)
        paths += [f"{root}/{version}" for version in versions]
    return sorted(set(paths))
