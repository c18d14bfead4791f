"""No object that the decoder lets through makes the write path stumble, however odd it is."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any

import pytest

from pilotfish.apiserver.defaulting import apply_defaults
from pilotfish.apiserver.strategy import prepare_for_create, prepare_for_update
from pilotfish.apiserver.tables import table
from pilotfish.apiserver.validation.registry import validate_create, validate_update
from pilotfish.objects.resources import RESOURCES, Resource
from pilotfish.objects.schema import Field, Type, schema_for, type_named

STORED = [kind for kind in RESOURCES if kind.is_stored]
ROUNDS = 20
DEPTH = 7
SCALARS: dict[str, list[Any]] = {
    "string": ["", "a", "A_", "10.0.0.1", "None", "Always", "LoadBalancer", "RollingUpdate"],
    "bytes": ["", "YQ=="],
    "int32": [-1, 0, 1, 80, 70000],
    "int64": [-1, 0, 1, 10**12],
    "integer": [0, 1],
    "number": [0, 0.5],
    "boolean": [True, False],
    "quantity": ["0", "1", "-1", "1500m", "1Gi"],
    "time": ["2026-01-01T00:00:00Z"],
    "microtime": ["2026-01-01T00:00:00.000000Z"],
    "int-or-string": [0, 1, -1, "http", "25%", "x%"],
    "any": ["a", 1, {}],
}


def made(schema: Type, random: Random, depth: int) -> dict[str, Any]:
    share = random.random()
    return {
        name: value(field, random, depth)
        for name, field in schema.fields.items()
        if random.random() < share
    }


def value(field: Field, random: Random, depth: int) -> Any:
    if field.type == "object":
        return made(type_named(field.ref), random, depth - 1) if depth and field.ref else {}
    if field.type in ("array", "map"):
        count = random.randrange(3) if depth and field.items else 0
        items = [value(field.items, random, depth - 1) for _ in range(count) if field.items]
        if field.type == "array":
            return items
        return {f"k{index}": item for index, item in enumerate(items)}
    return random.choice(SCALARS[field.type])


def an_object(kind: Resource, random: Random) -> dict[str, Any]:
    schema = schema_for(kind.api_version, kind.kind)
    assert schema is not None
    obj = made(schema, random, DEPTH)
    metadata = {"name": "a", "uid": "u", "namespace": "n"}
    return {**obj, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: f"{kind.full_name}/{kind.version}")
def test_odd_objects_are_judged_and_not_stumbled_over(kind: Resource) -> None:
    random = Random(kind.full_name)
    old: dict[str, Any] | None = None
    for _ in range(ROUNDS):
        new = an_object(kind, random)
        apply_defaults(kind, new)
        prepare_for_create(kind, new)
        assert all(cause.message for cause in validate_create(kind, new))
        if old is not None:
            changed = {**deepcopy(new), "status": {}}
            prepare_for_update(kind, changed, old)
            validate_update(kind, changed, old)
        old = new


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: f"{kind.full_name}/{kind.version}")
def test_what_is_stored_unchanged_stays_unchanged(kind: Resource) -> None:
    random = Random(kind.full_name)
    for _ in range(ROUNDS):
        old = an_object(kind, random)
        apply_defaults(kind, old)
        prepare_for_create(kind, old)
        new = deepcopy(old)
        apply_defaults(kind, new)
        prepare_for_update(kind, new, old)
        assert new == old
        assert validate_update(kind, new, old) == []


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: f"{kind.full_name}/{kind.version}")
def test_odd_objects_have_rows(kind: Resource) -> None:
    random = Random(kind.full_name)
    objects = [an_object(kind, random) for _ in range(ROUNDS)]
    answer = table(kind, objects)
    width = len(answer["columnDefinitions"])
    assert all(len(printed["cells"]) == width for printed in answer["rows"])
