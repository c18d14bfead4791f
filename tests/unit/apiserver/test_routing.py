"""Routes: which paths name what."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.catalog import Catalog
from pilotfish.apiserver.routing import route

CATALOG = Catalog()


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/api/v1/pods", ("pods", "", "", "", "")),
        ("/api/v1/namespaces/a/pods", ("pods", "a", "", "", "")),
        ("/api/v1/namespaces/a/pods/b", ("pods", "a", "b", "", "")),
        ("/api/v1/namespaces/a/pods/b/log", ("pods", "a", "b", "log", "")),
        ("/api/v1/namespaces/a/pods/b/proxy/x/y", ("pods", "a", "b", "proxy", "x/y")),
        ("/api/v1/namespaces", ("namespaces", "", "", "", "")),
        ("/api/v1/namespaces/a", ("namespaces", "", "a", "", "")),
        ("/api/v1/namespaces/a/finalize", ("namespaces", "", "a", "finalize", "")),
        ("/api/v1/nodes/n/status", ("nodes", "", "n", "status", "")),
        ("/apis/apps/v1/namespaces/a/deployments/d/scale", ("deployments", "a", "d", "scale", "")),
    ],
)
def test_a_path_names_a_resource_an_object_or_a_subresource(
    path: str, named: tuple[str, ...]
) -> None:
    found = route(CATALOG, path)
    assert found is not None
    assert named == (
        found.resource.plural,
        found.namespace,
        found.name,
        found.subresource,
        found.path,
    )


def test_the_old_prefix_asks_for_a_watch() -> None:
    found = route(CATALOG, "/api/v1/watch/namespaces/a/pods")
    assert found is not None
    assert (found.watch, found.namespace, found.resource.plural) == (True, "a", "pods")


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/v1",
        "/api/v2/pods",
        "/apis/apps/v1/pods",
        "/api/v1/foos",
        "/api/v1/pods/name-without-namespace",
        "/api/v1/namespaces/a/nodes",
        "/api/v1/namespaces/a/pods/b/scale",
        "/api/v1/namespaces/a/pods/b/log/c",
        "/metrics",
    ],
)
def test_other_paths_name_nothing(path: str) -> None:
    assert route(CATALOG, path) is None
