"""Custom resources as the server serves them: one for each served version of a definition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import orjson

from pilotfish.apiserver.custom.embedding import embeds_any
from pilotfish.apiserver.custom.ruled import has_rules
from pilotfish.apiserver.custom.types import type_of_schema
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource
from pilotfish.objects.schema import Type, schema_for

if TYPE_CHECKING:
    from pilotfish.apiserver.custom.rules.compiling import RuledSchema

DEFINITIONS: Final = "customresourcedefinitions.apiextensions.k8s.io"
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class CustomResource(Resource):
    """One served version of a custom resource.

    Attributes:
        schema: the version's structural schema (`openAPIV3Schema`).
        storage_version: the version that objects are stored in.
        selectable: the fields of field selectors: `spec.color`.
        columns: `additionalPrinterColumns`.
        scale_paths: `specReplicasPath`, `statusReplicasPath`, `labelSelectorPath`; empty
            without the subresource.
        type: the schema as server-side apply sees it.
        deprecation: what a client of this version is warned with; "" for nothing.
        digest: of everything that documents about the resource are made of.
        is_ending: whether the definition is being deleted, so that nothing can be created.
    """

    schema: Schema = field(default_factory=dict, compare=False)
    storage_version: str = ""
    selectable: tuple[str, ...] = ()
    columns: tuple[Mapping[str, Any], ...] = field(default=(), compare=False)
    scale_paths: Mapping[str, str] = field(default_factory=dict, compare=False)
    type: Type | None = field(default=None, compare=False)
    deprecation: str = ""
    digest: str = ""
    is_ending: bool = False

    @cached_property
    def embeds(self) -> bool:
        """Whether objects can embed others."""
        return embeds_any(self.schema)

    @cached_property
    def rules(self) -> RuledSchema | None:
        """The schema's rules, compiled when an object is checked for the first time."""
        if not has_rules(self.schema):
            return None
        from pilotfish.apiserver.custom.rules.compiling import ruled_schema

        return ruled_schema(self.schema)


def is_established(definition: Object) -> bool:
    """Whether the definition's resources are served."""
    found = condition(definition, "Established")
    return found is not None and found.get("status") == "True"


def type_of(resource: Resource) -> Type | None:
    """The type of a resource's objects, built-in or custom; None if nothing is known of it."""
    if isinstance(resource, CustomResource):
        return resource.type
    return schema_for(resource.api_version, resource.kind)


def resources_of(definition: Object) -> list[CustomResource]:
    """The resources of an established definition, by the priority of their versions."""
    spec = definition["spec"]
    names = (definition.get("status") or {}).get("acceptedNames") or spec["names"]
    stored = next(each["name"] for each in spec["versions"] if each.get("storage"))
    served = [version for version in spec["versions"] if version.get("served")]
    served.sort(key=lambda version: version_priority(version["name"]))
    is_ending = "deletionTimestamp" in definition["metadata"]
    return [_resource(spec, names, version, stored, is_ending) for version in served]


def _resource(
    spec: Object, names: Object, version: Object, stored: str, is_ending: bool
) -> CustomResource:
    schema: Schema = (version.get("schema") or {}).get("openAPIV3Schema") or {"type": "object"}
    subresources = version.get("subresources") or {}
    api_version = f"{spec['group']}/{version['name']}"
    deprecation = ""
    if version.get("deprecated"):
        deprecation = version.get("deprecationWarning") or (
            f"{api_version} {names['kind']} is deprecated"
        )
    return CustomResource(
        group=spec["group"],
        version=version["name"],
        plural=names["plural"],
        singular=names.get("singular") or names["kind"].lower(),
        kind=names["kind"],
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(name for name in ("scale", "status") if name in subresources),
        schema=schema,
        storage_version=stored,
        selectable=tuple(
            each["jsonPath"].removeprefix(".") for each in version.get("selectableFields") or ()
        ),
        columns=tuple(version.get("additionalPrinterColumns") or ()),
        scale_paths=subresources.get("scale") or {},
        type=type_of_schema(schema),
        deprecation=deprecation,
        digest=sha256(orjson.dumps([names, spec["scope"], version])).hexdigest(),
        is_ending=is_ending,
    )


def version_priority(name: str) -> tuple[int, int, int, str]:
    """Sorts versions as Kubernetes does: v10, v2, v1, v11beta2, v3beta1, v1alpha1, others.

    "Version priority" in the documentation of CustomResourceDefinitions.
    """
    major, stage, minor = _parts(name)
    if not major:
        return 3, 0, 0, name
    return {"": 0, "beta": 1, "alpha": 2}[stage], -major, -minor, name


def _parts(name: str) -> tuple[int, str, int]:
    """Major version, stage and its number; major 0 for a name of another form."""
    rest = name.removeprefix("v")
    for stage in ("alpha", "beta"):
        major, found, minor = rest.partition(stage)
        if found and major.isdecimal() and minor.isdecimal():
            return int(major), stage, int(minor)
    return (int(rest), "", 0) if name.startswith("v") and rest.isdecimal() else (0, "", 0)
