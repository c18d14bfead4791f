"""Custom resources: what CustomResourceDefinitions add to the resources that are looked after."""

from __future__ import annotations

from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource

DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"


def resources_of(definition: Object) -> list[Resource]:
    """The resource in each served version, the one to ask for last; none if not established."""
    established = condition(definition, "Established")
    if established is None or established["status"] != "True":
        return []
    spec = definition["spec"]
    names = spec["names"]
    served = [version for version in spec["versions"] if version["served"]]
    served.sort(key=lambda version: bool(version["storage"]))
    return [
        Resource(
            group=spec["group"],
            version=version["name"],
            plural=names["plural"],
            singular=names["singular"],
            kind=names["kind"],
            namespaced=spec["scope"] == "Namespaced",
        )
        for version in served
    ]
