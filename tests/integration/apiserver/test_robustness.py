"""Objects of every kind with nonsense in them: refused or stored, never a server's error."""

from __future__ import annotations

import random
from typing import Any

import pytest

from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import RESOURCES, Resource
from pilotfish.objects.schema import Field, Type, schema_for, type_named

WORDS = ["a", "A b", "80", "", "TCP", "NodePort", "Local", "x/y", "10.96.0.9", "1.2.3.4/8"]
VALUES: dict[str, list[Any]] = {
    "string": WORDS,
    "bytes": ["", "YQ=="],
    "int32": [0, 1, -1, 80, 70000],
    "int64": [0, 1, -1],
    "integer": [1],
    "number": [1.5],
    "boolean": [True, False],
    "quantity": ["1", "100m", "1Gi", "-1"],
    "time": ["2026-01-01T00:00:00Z"],
    "microtime": ["2026-01-01T00:00:00.000000Z"],
    "int-or-string": [0, 80, "http", "25%", ""],
    "any": [{}, {"a": 1}],
}
STORED = [resource for resource in RESOURCES if resource.is_stored]


class Nonsense:
    """Objects of the right types and no sense; the same ones in every run."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def object(self, schema: Type, depth: int, density: float) -> Object:
        """An object with some of the fields of its type."""
        if depth <= 0:
            return {}
        wanted = {True: max(density, 0.7), False: density}
        return {
            name: self._value(field, depth, density)
            for name, field in schema.fields.items()
            if self._random.random() < wanted[field.required]
        }

    def _value(self, field: Field, depth: int, density: float) -> Any:
        if field.type in VALUES:
            return self._random.choice(VALUES[field.type])
        if field.type == "object":
            return self.object(type_named(field.ref), depth - 1, density)
        if field.items is None or depth <= 0:
            return [] if field.type == "array" else {}
        items = [
            self._value(field.items, depth - 1, density)
            for _ in range(self._random.choice([0, 1, 2]))
        ]
        if field.type == "array":
            return items
        return dict(zip(("a", "!"), items, strict=False))


@pytest.mark.parametrize("density", [0.1, 0.5])
async def test_no_object_makes_the_server_fail(client: Client, density: float) -> None:
    for resource in STORED:
        nonsense = Nonsense(f"{resource.full_name} {density}")
        for count in range(6):
            await write_everywhere(client, resource, nonsense, f"n{count}", density)
        await client.request("GET", resource.path("default" if resource.namespaced else ""))


async def write_everywhere(
    client: Client, resource: Resource, nonsense: Nonsense, name: str, density: float
) -> None:
    schema = schema_for(resource.api_version, resource.kind)
    assert schema is not None
    namespace = "default" if resource.namespaced else ""

    def obj(depth: int) -> Object:
        made = nonsense.object(schema, depth, density)
        identity = {"apiVersion": resource.api_version, "kind": resource.kind}
        kept = {"labels", "annotations", "ownerReferences", "generateName"}
        metadata = {k: v for k, v in (made.get("metadata") or {}).items() if k in kept}
        return {**made, **identity, "metadata": {**metadata, "name": name}}

    path = resource.path(namespace, name)
    requests = [
        ("POST", resource.path(namespace), obj(8), "application/json"),
        ("PUT", path, obj(6), "application/json"),
        ("PATCH", path, obj(6), "application/merge-patch+json"),
        ("PATCH", path, obj(6), "application/strategic-merge-patch+json"),
        ("PATCH", f"{path}?fieldManager=x&force=true", obj(6), "application/apply-patch+yaml"),
    ]
    if "status" in resource.subresources:
        status = {"status": obj(6).get("status", {})}
        requests.append(("PATCH", f"{path}/status", status, "application/merge-patch+json"))
    for method, url, body, content_type in requests:
        try:
            await client.request(method, url, body=body, content_type=content_type)
        except ApiError as error:
            # kube-apiserver answers 500 to lists that cannot be merged.
            is_untyped = str(error).startswith("failed to create typed patch object")
            assert error.code < 500 or is_untyped, f"{method} {url} of {body}: {error}"
