"""How the tests of validation say what they create and change."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from pilotfish.apiserver.defaulting import apply_defaults
from pilotfish.apiserver.strategy import prepare_for_create, prepare_for_update
from pilotfish.apiserver.validation.registry import validate_create, validate_update
from pilotfish.objects.resources import resource

Object = dict[str, Any]


def _complete(kind: str, fields: Object) -> Object:
    obj = deepcopy(fields)
    obj["kind"] = resource(kind).kind
    obj["metadata"] = {"name": "a", "uid": "u1", **obj.get("metadata", {})}
    if resource(kind).namespaced:
        obj["metadata"].setdefault("namespace", "default")
    apply_defaults(resource(kind), obj)
    return obj


@pytest.fixture
def refusals() -> Callable[..., list[str]]:
    """What is said against creating an object of a kind: `refusals("services", spec=…)`."""

    def create(kind: str, **fields: Any) -> list[str]:
        obj = _complete(kind, fields)
        prepare_for_create(resource(kind), obj)
        return [str(cause) for cause in validate_create(resource(kind), obj)]

    return create


@pytest.fixture
def change_refusals() -> Callable[..., list[str]]:
    """What is said against changing an object: `change_refusals("services", old, new)`."""

    def change(kind: str, old: Object, new: Object, subresource: str = "") -> list[str]:
        before = _complete(kind, old)
        prepare_for_create(resource(kind), before)
        after = {**deepcopy(before), **deepcopy(new)}
        apply_defaults(resource(kind), after)
        prepare_for_update(resource(kind), after, before, subresource)
        causes = validate_update(resource(kind), after, before, subresource)
        return [str(cause) for cause in causes]

    return change
