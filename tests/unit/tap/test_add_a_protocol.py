"""The protocol that docs/how-to/add-a-protocol.md adds works as the page says."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pilotfish.tap import outcome, protocols
from support.dissection import Wire

PAGE = Path(__file__).parents[3] / "docs/how-to/add-a-protocol.md"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> list[ModuleType]:
    """The page's dissector, in the registry, and the page's test of it."""
    modules = []
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)):
        module = ModuleType(f"page_{number}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(code, str(PAGE), "exec"), module.__dict__)
        modules.append(module)
    monkeypatch.setattr(protocols, "STREAMS", (*protocols.STREAMS, modules[0]))
    return modules


def test_the_pages_tests_pass(page: list[ModuleType]) -> None:
    _, test = page
    test.test_answers_find_their_commands()
    test.test_splitting_at_every_byte_changes_nothing()
    for seed in range(60):
        test.test_mutations_do_no_harm(seed)


def test_a_new_protocol_has_a_line_for_people(page: list[ModuleType]) -> None:
    exchange = Wire().say(*page[1].CONVERSATION).exchanges[1]
    assert exchange.request is not None
    assert exchange.response is not None
    messages = {"request": exchange.request.fields(), "response": exchange.response.fields()}
    told = outcome.of(exchange, messages, "")
    assert told.summary == "NUT GET VAR none ups.status → UNKNOWN-UPS"
    assert told.error
