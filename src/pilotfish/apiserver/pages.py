"""Pages: the fixed paths beside the resources: discovery, version, OpenAPI."""

from __future__ import annotations

from hashlib import sha256

import orjson
from aiohttp import web

from pilotfish.apiserver import discovery
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.documents import document, is_known, unchanged
from pilotfish.apiserver.errors import method_not_allowed, path_not_found
from pilotfish.apiserver.negotiation import JSON, negotiate
from pilotfish.objects.meta import Object


async def page(core: Core, request: web.BaseRequest) -> web.Response:
    """The page at a path that names no resource.

    Raises:
        StatusError: 404 for a path that is nothing at all, 405 for another method than GET.
    """
    path = request.rel_url.path.rstrip("/") or "/"
    headers: dict[str, str] = {}
    if path in ("/api", "/apis"):
        wanted = negotiate(request.headers.get("Accept", ""))
        if wanted.wants_discovery_version:
            return _aggregated(core, path == "/api", request, wanted.wants_discovery_version)
        content = _fixed(core, path, request.host)
        headers["Vary"] = "Accept"
    elif path.startswith("/openapi/"):
        return await _openapi(core, path, request)
    else:
        content = _fixed(core, path, request.host)
    if content is None:
        raise path_not_found()
    _check_read(request)
    return web.Response(body=orjson.dumps(content), headers={"Content-Type": JSON, **headers})


def _aggregated(core: Core, is_core: bool, request: web.BaseRequest, version: str) -> web.Response:
    """All groups with all their resources; the core group alone, or all the others."""
    _check_read(request)
    media_type = f"{JSON};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
    body = orjson.dumps(discovery.aggregated(core.catalog, is_core, version))
    digest = sha256(body).hexdigest().upper()
    return unchanged(digest) if is_known(request, digest) else document(body, digest, media_type)


async def _openapi(core: Core, path: str, request: web.BaseRequest) -> web.Response:
    """The OpenAPI documents, whose makers are loaded when somebody asks."""
    from pilotfish.apiserver import openapi, openapi_protobuf

    catalog, documents = core.catalog, core.documents
    match path.split("/")[2:]:
        case ["v2"]:
            _check_read(request)
            everything = list(catalog)
            digest = openapi.digest_of(everything)
            if openapi_protobuf.ACCEPTED in request.headers.get("Accept", ""):
                return await documents.answer(
                    request,
                    f"{digest}-PB",
                    openapi_protobuf.MEDIA_TYPE,
                    lambda: openapi_protobuf.encode_document(openapi.document_v2(everything)),
                )
            return await documents.answer(
                request, f"{digest}-V2", JSON, lambda: orjson.dumps(openapi.document_v2(everything))
            )
        case ["v3"]:
            _check_read(request)
            content = openapi.index(catalog)
            return web.Response(body=orjson.dumps(content), headers={"Content-Type": JSON})
        case ["v3", "api", version]:
            resources = catalog.of_version("", version)
        case ["v3", "apis", group, version] if group:
            resources = catalog.of_version(group, version)
        case _:
            resources = []
    if not resources:
        raise path_not_found()
    _check_read(request)
    return await documents.answer(
        request,
        openapi.digest_of(resources),
        JSON,
        lambda: orjson.dumps(openapi.document_v3(resources)),
    )


def _check_read(request: web.BaseRequest) -> None:
    if request.method not in ("GET", "HEAD"):
        raise method_not_allowed()


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
