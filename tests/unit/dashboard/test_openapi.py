"""The document that describes the dashboard's API to programs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from pilotfish.dashboard import server
from pilotfish.dashboard.access import Access
from pilotfish.dashboard.kubeconfig import Kubeconfig
from pilotfish.dashboard.openapi import document
from pilotfish.dashboard.rows import row
from pilotfish.dashboard.sources import dashboard_of
from support.entries import entry

TOOLS = Path(__file__).parents[3] / "tools"


def references(part: Any) -> Iterator[str]:
    """Every $ref in a document."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    for reference in set(references(whole)):
        place: Any = whole
        for key in reference.removeprefix("#/").split("/"):
            place = place[key]
        assert place


def test_every_address_of_the_server_is_described_and_no_other(tmp_path: Path) -> None:
    dashboard = dashboard_of(Kubeconfig(tmp_path / "none"), print)
    app = server.application(dashboard, Access("00", "00", "1"), "127.0.0.1", 8899, lambda: None)
    served = {resource.canonical for resource in app.router.resources()}
    data = {path for path in served if path.startswith(("/api/", "/metrics", "/healthz"))}
    assert set(document()["paths"]) == data


def test_schemas_are_schemas_and_describe_what_is_sent() -> None:
    whole = document()
    for schema in whole["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    of_row = {"$ref": "#/components/schemas/Row", "components": whole["components"]}
    Draft202012Validator(of_row).validate(row(entry(probe=False)))
    broken = {**row(entry(probe=False)), "time": "noon"}
    assert not Draft202012Validator(of_row).is_valid(broken)


def test_an_entry_is_as_its_schema_says() -> None:
    whole = document()
    of_entry = {"$ref": "#/components/schemas/EntryMessage", "components": whole["components"]}
    required = whole["components"]["schemas"]["EntryMessage"]["required"]
    made = entry(probe=False)
    errors = {error.message for error in Draft202012Validator(of_entry).iter_errors(made)}
    assert set(required) <= set(made), errors


def test_the_pages_types_are_those_of_the_server() -> None:
    command = [sys.executable, str(TOOLS / "make_messages.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
