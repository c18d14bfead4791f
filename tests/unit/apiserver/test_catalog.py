"""The catalog: resources by group and version, as custom ones come and go."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver import openapi
from pilotfish.apiserver.catalog import Catalog
from pilotfish.apiserver.custom.resource import CustomResource, resources_of
from pilotfish.objects.meta import Object


def definition(plural: str = "widgets", version: str = "v1", **schema: Any) -> Object:
    return {
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": plural.capitalize()},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object", **schema}},
                }
            ],
        },
    }


def custom(*arguments: Any, **schema: Any) -> CustomResource:
    (found,) = resources_of(definition(*arguments, **schema))
    return found


def test_a_group_is_listed_as_long_as_it_has_resources() -> None:
    catalog = Catalog()
    widgets, gadgets = custom("widgets"), custom("gadgets", "v1beta1")
    catalog.add(widgets)
    catalog.add(gadgets)
    assert catalog.groups()["example.com"] == ["v1", "v1beta1"]
    assert catalog.of_version("example.com", "v1") == [widgets]
    catalog.remove(widgets)
    assert catalog.groups()["example.com"] == ["v1beta1"]
    assert catalog.find("example.com", "v1", "widgets") is None
    catalog.remove(gadgets)
    assert "example.com" not in catalog.groups()
    assert catalog.of_version("example.com", "v1beta1") == []


def test_the_address_of_a_document_changes_with_its_own_resources_alone() -> None:
    catalog = Catalog()
    before = openapi.index(catalog)["paths"]
    catalog.add(custom("widgets"))
    first = openapi.index(catalog)["paths"]
    assert {path: first[path] for path in before} == before
    catalog.add(custom("widgets", properties={"spec": {"type": "object"}}))
    second = openapi.index(catalog)["paths"]
    assert first["apis/example.com/v1"] != second["apis/example.com/v1"]
    assert {path: second[path] for path in before} == before


def test_the_address_is_the_same_in_another_process() -> None:
    paths = []
    for order in (("widgets", "gadgets"), ("gadgets", "widgets")):
        catalog = Catalog()
        for plural in order:
            catalog.add(custom(plural))
        paths.append(openapi.index(catalog)["paths"]["apis/example.com/v1"])
    assert paths[0] == paths[1]
