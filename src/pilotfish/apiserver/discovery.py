"""Discovery: which groups, versions and resources there are, as clients ask at their start."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from pilotfish.apiserver.catalog import Catalog
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource
from pilotfish.version import KUBERNETES_VERSION, __version__

_READ: Final = ("get", "patch", "update")
# Subresources: the kind of what is sent or got, where it is not the parent's, and the verbs.
_SUBRESOURCES: Final[dict[str, tuple[str, str, str, tuple[str, ...]]]] = {
    "attach": ("", "", "PodAttachOptions", ("create", "get")),
    "binding": ("", "", "Binding", ("create",)),
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "exec": ("", "", "PodExecOptions", ("create", "get")),
    "finalize": ("", "", "", ("update",)),
    "log": ("", "", "", ("get",)),
    "portforward": ("", "", "PodPortForwardOptions", ("create", "get")),
    "scale": ("autoscaling", "v1", "Scale", _READ),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ("create",)),
}
_PROXY_KINDS: Final = {
    "Node": "NodeProxyOptions",
    "Pod": "PodProxyOptions",
    "Service": "ServiceProxyOptions",
}
_PROXY_VERBS: Final = ("create", "delete", "get", "patch", "update")


def version() -> Object:
    """/version: the Kubernetes version whose API is served, and in gitVersion who serves it."""
    return {
        "major": "1",
        "minor": KUBERNETES_VERSION.split(".")[1],
        "gitVersion": f"{KUBERNETES_VERSION}+pilotfish-{__version__}",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "none",
        "platform": "linux/amd64",
    }


def core_versions(host: str) -> Object:
    """/api: the versions of the core group, and where this server is reached."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}],
    }


def group_list(catalog: Catalog) -> Object:
    """/apis: the named groups."""
    groups = [group(name, versions) for name, versions in catalog.groups().items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def single_group(catalog: Catalog, name: str) -> Object | None:
    """/apis/GROUP; None for a group that is not served."""
    versions = catalog.groups().get(name)
    if versions is None or not name:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **group(name, versions)}


def group(name: str, versions: Sequence[str]) -> Object:
    """A group and its versions, the preferred one first."""
    found = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": found, "preferredVersion": found[0]}


def resource_list(catalog: Catalog, group_name: str, version_name: str) -> Object | None:
    """/api/v1 and /apis/GROUP/VERSION; None for a version that is not served."""
    resources = catalog.of_version(group_name, version_name)
    if not resources:
        return None
    entries = [entry for resource in resources for entry in _entries(catalog, resource)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group_name}/{version_name}".lstrip("/"),
        "resources": entries,
    }


def _entries(catalog: Catalog, resource: Resource) -> list[Object]:
    entry: Object = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.is_stored:
        entry["storageVersionHash"] = _storage_version_hash(catalog, resource)
    entries = [entry]
    for name in resource.subresources:
        group_name, version_name, kind, verbs = subresource(resource, name)
        sub: Object = {
            "name": f"{resource.plural}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
        }
        if group_name:
            sub |= {"group": group_name, "version": version_name}
        entries.append(sub | {"kind": kind, "verbs": list(verbs)})
    return entries


def _storage_version_hash(catalog: Catalog, resource: Resource) -> str:
    """A short name of the version that objects are stored in, for tools that migrate them."""
    if isinstance(resource, CustomResource):
        group_name, version_name = resource.group, resource.storage_version
    elif resource.full_name == "events.events.k8s.io":
        # Stored in the version of the core group.
        group_name, version_name = "", "v1"
    else:
        group_name, version_name = resource.group, catalog.groups()[resource.group][0]
    stored = f"{group_name}/{version_name}/{resource.kind}"
    return b64encode(sha256(stored.encode()).digest()[:8]).decode()


def subresource(resource: Resource, name: str) -> tuple[str, str, str, tuple[str, ...]]:
    """Group and version ("" for the parent's), kind and verbs of a subresource."""
    if name == "proxy":
        return "", "", _PROXY_KINDS[resource.kind], _PROXY_VERBS
    group_name, version_name, kind, verbs = _SUBRESOURCES.get(name, ("", "", "", _READ))
    if name == "binding" and resource.kind != "Pod":
        return "", "", resource.kind, _READ
    return group_name, version_name, kind or resource.kind, verbs


def aggregated(catalog: Catalog, core: bool, api_version: str) -> Object:
    """All groups with all their resources in one answer (apidiscovery.k8s.io).

    Args:
        core: the core group alone (/api), or all the others (/apis).
        api_version: `v2` or `v2beta1`, whose shapes are the same.
    """
    items: list[Object] = []
    for name, versions in catalog.groups().items():
        if (name == "") != core:
            continue
        items.append(
            {
                "metadata": {"name": name, "creationTimestamp": None} if name else {},
                "versions": [
                    {
                        "version": version_name,
                        "resources": [
                            _aggregated(resource)
                            for resource in catalog.of_version(name, version_name)
                        ],
                        "freshness": "Current",
                    }
                    for version_name in versions
                ],
            }
        )
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{api_version}",
        "metadata": {},
        "items": items,
    }


def _aggregated(resource: Resource) -> Object:
    entry: Object = {
        "resource": resource.plural,
        "responseKind": _response_kind(resource.group, resource.version, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    subresources: list[Any] = []
    for name in resource.subresources:
        group_name, version_name, kind, verbs = subresource(resource, name)
        if not version_name:
            group_name, version_name = resource.group, resource.version
        subresources.append(
            {
                "subresource": name,
                "responseKind": _response_kind(group_name, version_name, kind),
                "verbs": list(verbs),
            }
        )
    if subresources:
        entry["subresources"] = subresources
    return entry


def _response_kind(group_name: str, version_name: str, kind: str) -> Object:
    return {"group": group_name, "version": version_name, "kind": kind}
