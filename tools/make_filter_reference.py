"""Write the tables of docs/reference/filters.md from what the filter language knows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pilotfish.cel.macros import MACROS
from pilotfish.tap.filter import variables
from pilotfish.tap.filter.completion import signature
from pilotfish.tap.filter.dialect import FUNCTIONS
from pilotfish.tap.filter.shapes import OBJECTS

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "filters.md"
MARK = "<!-- What follows is written by tools/make_filter_reference.py. -->"


def tables() -> str:
    """Everything behind the mark."""
    parts = ["## Variables", ""]
    for group in dict.fromkeys(each.group for each in variables()):
        members = [each for each in variables() if each.group == group]
        rows = [(f"`{each.name}`", str(each.type), each.doc) for each in members]
        parts += [f"### {group}", "", *_table(("name", "type", "what it is"), rows), ""]
    parts += [
        "## Objects",
        "",
        "What an object does not have is the default value of its type; `has(dst.pod)` tells.",
        "",
    ]
    for kind in OBJECTS:
        rows = [(f"`{name}`", str(each.type), each.doc) for name, each in kind.fields.items()]
        parts += [f"### {kind.name}", "", *_table(("field", "type", "what it is"), rows), ""]
    called = []
    for function in FUNCTIONS.values():
        if function.is_global:
            called.append((f"`{function.name}`", signature(function.overloads), function.doc))
        if function.is_method:
            takes = list(dict.fromkeys(str(each.parameters[0]) for each in function.overloads))
            name = f"`….{function.name}` of {' or '.join(takes)}"
            called.append((name, signature(function.overloads, 1), function.doc))
    parts += ["## Functions", "", *_table(("name", "call", "what it returns"), called), ""]
    macros = [
        ("`has(field)`", "whether a field or key is there"),
        *((f"`….{name}`", doc) for name, doc in MACROS.items()),
    ]
    parts += ["## Macros", "", *_table(("name", "what it is"), macros)]
    return "\n".join(parts) + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    names = list(head)
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def main() -> None:
    """Keep what stands before the mark, and write the rest."""
    kept = REFERENCE.read_text().partition(MARK)[0]
    REFERENCE.write_text(f"{kept}{MARK}\n\n{tables()}")


if __name__ == "__main__":
    main()
