"""OpenAPI documents, made from the schema table when somebody asks for them.

kubectl reads v3, one document for each group version: what `explain` shows, whether the server
validates fields, and how lists merge in `apply`. v2 is one document for everything. There are
no descriptions: those of Kubernetes are not ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pilotfish.apiserver.catalog import Catalog
from pilotfish.apiserver.custom.publishing import published, type_name
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.discovery import subresource
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource
from pilotfish.objects.schema import Field, kinds, type_named
from pilotfish.version import KUBERNETES_VERSION, __version__

_V3_REFS: Final = "#/components/schemas/"
_V2_REFS: Final = "#/definitions/"
_GVK: Final = "x-kubernetes-group-version-kind"
# Types that the table knows as scalars, under the names that people see in `explain`.
_NAMED_SCALARS: Final = {
    "quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "int-or-string": "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
}
_SCALAR_OF: Final = {name: scalar for scalar, name in _NAMED_SCALARS.items()}
_PATCH_TYPES: Final = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
_SCALARS: Final[dict[str, Object]] = {
    "string": {"type": "string"},
    "bytes": {"type": "string", "format": "byte"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number", "format": "double"},
    "boolean": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "microtime": {"type": "string", "format": "date-time"},
    "any": {"type": "object"},
}
_READING: Final = ("pretty",)
_LISTING: Final = (
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
)
_WRITING: Final = ("dryRun", "fieldManager", "fieldValidation")
_DELETING: Final = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_BOOLEANS: Final = frozenset(
    {"allowWatchBookmarks", "force", "orphanDependents", "sendInitialEvents", "watch"}
)
_INTEGERS: Final = frozenset({"gracePeriodSeconds", "limit", "timeoutSeconds"})


@dataclass(frozen=True)
class _Dialect:
    """What v2 and v3 write differently."""

    version: int

    @property
    def refs(self) -> str:
        return _V2_REFS if self.version == 2 else _V3_REFS

    def reference(self, name: str) -> Object:
        """A field whose type is a named one."""
        target = {"$ref": f"{self.refs}{name}"}
        # In v3 a bare $ref hides what stands beside it, so Kubernetes wraps it.
        return target if self.version == 2 else {"allOf": [target], "default": {}}

    def named_scalar(self, scalar: str) -> Object:
        """The schema of a value that may be a string or a number."""
        if scalar == "quantity":
            if self.version == 2:
                return {"type": "string"}
            return {"oneOf": [{"type": "string"}, {"type": "number"}]}
        if self.version == 2:
            return {"type": "string", "format": scalar}
        return {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": scalar}

    def parameter(self, name: str, place: str = "query") -> Object:
        """A parameter of a path or query."""
        kind = "boolean" if name in _BOOLEANS else "integer" if name in _INTEGERS else "string"
        required = {"required": True} if place == "path" else {}
        typed = {"type": kind, "uniqueItems": True}
        shape = typed if self.version == 2 else {"schema": typed}
        return {"name": name, "in": place, **required, **shape}

    def body(self, name: str, media_types: Iterable[str]) -> Object:
        """The part of an operation that tells what its body is."""
        target = {"$ref": f"{self.refs}{name}"}
        if self.version == 2:
            return {"consumes": list(media_types), "body": target}
        return {"requestBody": {"content": {each: {"schema": target} for each in media_types}}}

    def answer(self, name: str) -> Object:
        """The part of an operation that tells what it answers."""
        target = {"$ref": f"{self.refs}{name}"}
        if self.version == 2:
            return {"responses": {"200": {"description": "OK", "schema": target}}}
        content = {"application/json": {"schema": target}}
        return {"responses": {"200": {"description": "OK", "content": content}}}


def index(catalog: Catalog) -> Object:
    """/openapi/v3: where the document of each group version is.

    The hash in the address lets clients keep a document for good. It changes with this group
    version alone, whatever else is installed.
    """
    paths: Object = {}
    for group, versions in catalog.groups().items():
        for version in versions:
            path = f"apis/{group}/{version}" if group else f"api/{version}"
            digest = digest_of(catalog.of_version(group, version))
            url = f"/openapi/v3/{path}?hash={digest}"
            paths[path] = {"serverRelativeURL": url}
    return {"paths": paths}


def digest_of(resources: Iterable[Resource]) -> str:
    """A short name of what the document about some resources holds."""
    parts = [f"{__version__}/{_table_hash()}"]
    for resource in resources:
        own = resource.digest if isinstance(resource, CustomResource) else ""
        parts.append(f"{resource.full_name}/{resource.version}/{own}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32].upper()


@cache
def _table_hash() -> str:
    """Changes with whatever the documents are made from."""
    source = "".join(sorted(kinds().values())) + str(_SCALARS)
    return hashlib.sha256(source.encode()).hexdigest()


def document_v3(resources: Sequence[Resource]) -> Object:
    """The v3 document of the resources of one group version."""
    dialect = _Dialect(3)
    schemas = _schemas(dialect, resources)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": KUBERNETES_VERSION},
        "paths": _paths(dialect, resources),
        "components": {"schemas": schemas},
    }


def document_v2(resources: Sequence[Resource]) -> Object:
    """The v2 document of all resources."""
    dialect = _Dialect(2)
    resources = [resource for resource in resources if _type_name(resource)]
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": KUBERNETES_VERSION},
        "paths": _paths(dialect, resources),
        "definitions": _schemas(dialect, resources),
    }


def _type_name(resource: Resource) -> str:
    if isinstance(resource, CustomResource):
        return type_name(resource)
    return kinds().get(f"{resource.api_version}/{resource.kind}", "")


def _list_name(resource: Resource) -> str:
    return _type_name(resource) + "List"


def _roots(resources: Iterable[Resource]) -> set[str]:
    """The types that a document has to hold, but for those they refer to."""
    names = {kinds()["v1/Status"], kinds()["v1/DeleteOptions"]}
    for resource in resources:
        if not _type_name(resource):
            continue
        names.add(_type_name(resource))
        for sub in resource.subresources:
            group, version, kind, _ = subresource(resource, sub)
            api_version = f"{group}/{version}" if group else resource.api_version
            name = kinds().get(f"{api_version}/{kind}")
            if name:
                names.add(name)
        if resource.is_stored:
            names.add(_list_name(resource))
    return names


def _schemas(dialect: _Dialect, resources: Iterable[Resource]) -> Object:
    """The schemas of the resources' types and of all that they refer to, by name."""
    customs = (each for each in resources if isinstance(each, CustomResource))
    custom = published(customs, dialect.version, dialect.refs)
    by_type: dict[str, list[Object]] = {}
    for api_kind, name in kinds().items():
        api_version, _, kind = api_kind.rpartition("/")
        group, _, version = api_version.rpartition("/")
        gvk = {"group": group, "kind": kind, "version": version}
        by_type.setdefault(name, []).append(gvk)
    schemas: Object = {}
    waiting = _roots(resources)
    while waiting:
        name = waiting.pop()
        schema = custom[name] if name in custom else _schema(dialect, name)
        if name in by_type:
            schema[_GVK] = by_type[name]
        schemas[name] = schema
        waiting |= {found for found in _references(schema, dialect.refs) if found not in schemas}
    return dict(sorted(schemas.items()))


def _schema(dialect: _Dialect, name: str) -> Object:
    if name in _SCALAR_OF:
        return dialect.named_scalar(_SCALAR_OF[name])
    type_ = type_named(name)
    schema: Object = {"type": "object"}
    required = [field for field, spec in type_.fields.items() if spec.required]
    if required:
        schema["required"] = required
    if type_.fields:
        schema["properties"] = {
            field: _field(dialect, spec) for field, spec in sorted(type_.fields.items())
        }
    if type_.map_type:
        schema["x-kubernetes-map-type"] = type_.map_type
    return schema


def _field(dialect: _Dialect, field: Field) -> Object:
    schema = _plain(dialect, field)
    if field.list_type:
        schema["x-kubernetes-list-type"] = field.list_type
    if field.map_keys:
        schema["x-kubernetes-list-map-keys"] = list(field.map_keys)
    if field.merge_key:
        schema["x-kubernetes-patch-merge-key"] = field.merge_key
    if field.patch_strategy:
        schema["x-kubernetes-patch-strategy"] = ",".join(field.patch_strategy)
    if field.map_type:
        schema["x-kubernetes-map-type"] = field.map_type
    return schema


def _plain(dialect: _Dialect, field: Field) -> Object:
    match field.type:
        case "object":
            return dialect.reference(field.ref)
        case "array":
            items = _plain(dialect, field.items) if field.items else {"type": "object"}
            return {"type": "array", "items": items}
        case "map":
            values = _plain(dialect, field.items) if field.items else {"type": "object"}
            return {"type": "object", "additionalProperties": values}
        case "quantity" | "int-or-string":
            return dialect.reference(_NAMED_SCALARS[field.type])
    return dict(_SCALARS[field.type])


def _references(schema: Any, prefix: str) -> Iterable[str]:
    if isinstance(schema, dict):
        target = schema.get("$ref")
        if isinstance(target, str):
            yield target.removeprefix(prefix)
        for value in schema.values():
            yield from _references(value, prefix)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value, prefix)


def _paths(dialect: _Dialect, resources: Iterable[Resource]) -> Object:
    paths: Object = {}
    for resource in resources:
        if not _type_name(resource):
            continue
        collection = resource.path("{namespace}")
        if resource.is_stored:
            if resource.namespaced:
                # All namespaces at once can be read, not written.
                paths[resource.path()] = _collection(dialect, resource, everywhere=True)
            paths[collection] = _collection(dialect, resource, everywhere=False)
            paths[f"{collection}/{{name}}"] = _item(dialect, resource)
            for sub in resource.subresources:
                paths[f"{collection}/{{name}}/{sub}"] = _sub(dialect, resource, sub)
        else:
            operation = _operation(dialect, resource, "post", _WRITING, resource.kind)
            paths[collection] = _with_parameters(dialect, resource, {"post": operation}, False)
    return dict(sorted(paths.items()))


def _collection(dialect: _Dialect, resource: Resource, *, everywhere: bool) -> Object:
    operations = {"get": _operation(dialect, resource, "list", _LISTING, f"{resource.kind}List")}
    if not everywhere:
        operations["post"] = _operation(dialect, resource, "post", _WRITING, resource.kind)
        parameters = (*_DELETING, *_LISTING)
        operations["delete"] = _operation(
            dialect, resource, "deletecollection", parameters, "Status"
        )
    return _with_parameters(dialect, resource, operations, False, everywhere=everywhere)


def _item(dialect: _Dialect, resource: Resource) -> Object:
    kind = resource.kind
    operations = {
        "get": _operation(dialect, resource, "get", _READING, kind),
        "put": _operation(dialect, resource, "put", _WRITING, kind),
        "patch": _operation(dialect, resource, "patch", (*_WRITING, "force"), kind),
        "delete": _operation(dialect, resource, "delete", _DELETING, "Status"),
    }
    return _with_parameters(dialect, resource, operations, True)


_METHODS: Final = {"create": "post", "delete": "delete", "get": "get", "update": "put"}


def _sub(dialect: _Dialect, resource: Resource, name: str) -> Object:
    group, version, kind, verbs = subresource(resource, name)
    gvk = {"group": group or resource.group, "version": version or resource.version, "kind": kind}
    operations = {}
    for verb in verbs:
        method = _METHODS.get(verb, verb)
        parameters = _READING if method == "get" else _WRITING
        operations[method] = _operation(dialect, resource, method, parameters, kind, gvk)
    return _with_parameters(dialect, resource, operations, True)


def _operation(
    dialect: _Dialect,
    resource: Resource,
    action: str,
    parameters: Iterable[str],
    answers: str,
    gvk: Object | None = None,
) -> Object:
    gvk = gvk or {"group": resource.group, "version": resource.version, "kind": resource.kind}
    api_version = f"{gvk['group']}/{gvk['version']}".lstrip("/")
    sent = kinds().get(f"{api_version}/{gvk['kind']}", _type_name(resource))
    if answers == "Status":
        answered = kinds()["v1/Status"]
    elif answers.endswith("List") and action == "list":
        answered = _list_name(resource)
    else:
        answered = sent
    listed = [dialect.parameter(name) for name in parameters]
    body: Object = {}
    if action in ("post", "put"):
        body = dialect.body(sent, ("application/json", "application/yaml"))
    elif action == "patch":
        # kubectl sends the kind of patch that it finds here.
        custom = isinstance(resource, CustomResource) and gvk["kind"] != "Scale"
        body = dialect.body(sent, _PATCH_TYPES[:3] if custom else _PATCH_TYPES)
    elif action in ("delete", "deletecollection"):
        body = dialect.body(kinds()["v1/DeleteOptions"], ("application/json",))
    if "body" in body:
        listed.append({"name": "body", "in": "body", "schema": body.pop("body")})
    return {
        "parameters": listed,
        **body,
        **dialect.answer(answered),
        "x-kubernetes-action": action,
        _GVK: gvk,
    }


def _with_parameters(
    dialect: _Dialect,
    resource: Resource,
    operations: Object,
    named: bool,
    *,
    everywhere: bool = False,
) -> Object:
    parameters = []
    if resource.namespaced and not everywhere:
        parameters.append(dialect.parameter("namespace", "path"))
    if named:
        parameters.append(dialect.parameter("name", "path"))
    return {**operations, "parameters": parameters} if parameters else operations
