"""Routes: an URL path, as the resource, object and subresource that it names.

The grammar is that of "API Concepts" in the Kubernetes documentation:
/api/v1 or /apis/GROUP/VERSION, then [namespaces/NAMESPACE/]RESOURCE[/NAME[/SUBRESOURCE[/…]]].
"""

from __future__ import annotations

from dataclasses import dataclass

from pilotfish.apiserver.catalog import Catalog
from pilotfish.objects.resources import Resource

# Under /namespaces/NAME these are subresources of the Namespace, all else is a resource in it.
_NAMESPACE_SUBRESOURCES = ("finalize", "status")


@dataclass(frozen=True, slots=True)
class Route:
    """What a path names.

    Attributes:
        resource: of the object or collection.
        namespace: "" for cluster-scoped resources, and for all namespaces.
        name: "" for a collection.
        subresource: `status`, `log`, …; "" for the object itself.
        path: what follows a proxy subresource.
        watch: the path asked for a watch by the deprecated /watch/ prefix.
    """

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    path: str = ""
    watch: bool = False


def route(catalog: Catalog, path: str) -> Route | None:
    """Read a path below /api or /apis; None if it names no resource that is served."""
    parts = path.split("/")
    # ["", "api", version, …] or ["", "apis", group, version, …]
    if parts[1] == "api":
        group, start = "", 3
    elif parts[1] == "apis":
        group, start = (parts[2] if len(parts) > 2 else ""), 4
    else:
        return None
    if len(parts) <= start:
        return None
    version, rest = parts[start - 1], parts[start:]
    watch = rest[0] == "watch"
    if watch:
        del rest[0]
    if rest and not rest[-1] and "proxy" not in rest:
        del rest[-1]
    if not rest:
        return None
    namespace = ""
    if (
        rest[0] == "namespaces"
        and len(rest) > 2
        and not (len(rest) == 3 and rest[2] in _NAMESPACE_SUBRESOURCES)
    ):
        namespace, rest = rest[1], rest[2:]
    resource = catalog.find(group, version, rest[0])
    if resource is None or (namespace and not resource.namespaced):
        return None
    name = rest[1] if len(rest) > 1 else ""
    if name and resource.namespaced and not namespace:
        return None
    subresource = rest[2] if len(rest) > 2 else ""
    if subresource and subresource not in resource.subresources:
        return None
    if len(rest) > 3 and subresource != "proxy":
        return None
    return Route(resource, namespace, name, subresource, "/".join(rest[3:]), watch)
