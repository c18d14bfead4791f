"""Columns of custom resources: which are shown, and what is in their cells."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.apiserver.custom.columns import definitions, printer
from pilotfish.apiserver.custom.resource import CustomResource, resources_of
from support.widgets import definition


def resource(*columns: tuple[str, str]) -> CustomResource:
    crd = definition()
    crd["spec"]["versions"][1]["additionalPrinterColumns"] = [
        {"name": f"C{index}", "type": kind, "jsonPath": path}
        for index, (kind, path) in enumerate(columns)
    ]
    return resources_of(crd)[0]


def cell(kind: str, value: Any, path: str = ".spec.f") -> Any:
    obj = {"metadata": {"name": "a"}, "spec": {"f": value}}
    return printer(resource((kind, path)))(obj)[1]


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("string", "a", "a"),
        ("string", 3, "3"),
        ("string", 3.0, "3"),
        ("string", 1.5, "1.5"),
        ("string", True, "true"),
        ("string", None, "<no value>"),
        ("string", {"b": "<", "a": [1]}, r'{"a":[1],"b":"\u003c"}'),
        ("integer", 3.9, 3),
        ("integer", "3", None),
        ("integer", True, None),
        ("number", 3, 3.0),
        ("boolean", False, False),
        ("boolean", "true", None),
        ("date", "yesterday", "<invalid>"),
        ("date", "", "<unknown>"),
        ("date", 5, None),
        ("integer", None, None),
    ],
)
def test_a_cell_shows_a_value_by_the_type_of_its_column(kind: str, value: Any, shown: Any) -> None:
    found = cell(kind, value)
    assert found == shown and type(found) is type(shown)


def test_of_several_values_the_first_is_shown() -> None:
    assert cell("string", ["a", "b"], ".spec.f[*]") == "a"


def test_a_path_that_does_not_fit_leaves_its_cell_empty() -> None:
    assert cell("string", [], ".spec.f[0]") is None


def test_columns_end_in_front_of_the_first_that_cannot_be_read() -> None:
    shown = resource(("string", ".spec.a"), ("string", ".spec["), ("string", ".spec.b"))
    told = "Custom resource definition column (in JSONPath format): .spec.a"
    assert [(each["name"], each["description"]) for each in definitions(shown)] == [
        ("Name", ""),
        ("C0", told),
    ]
    assert printer(shown)({"metadata": {"name": "n"}, "spec": {"a": "x"}}) == ["n", "x"]
