"""Printers: the columns of one kind, and the cells of an object under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Cells = list[Any]
Printer = Callable[[Mapping[str, Any]], Cells]

NONE = "<none>"
UNKNOWN = "<unknown>"
UNSET = "<unset>"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; those of `priority` 1 are shown by `kubectl get -o wide` alone."""

    name: str
    type: str = "string"
    priority: int = 0

    def definition(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": self.type,
            "format": "name" if self.name == "Name" else "",
            "description": "",
            "priority": self.priority,
        }


@dataclass(frozen=True, slots=True)
class KindTable:
    """How objects of one kind are printed."""

    columns: tuple[Column, ...]
    cells: Printer
    definitions: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "definitions", [column.definition() for column in self.columns])


def columns(text: str) -> tuple[Column, ...]:
    """Columns from a line such as "Name | Desired# | Age | IP+": # integer, ? boolean, + wide."""
    return tuple(_column(part.strip()) for part in text.split("|"))


def _column(text: str) -> Column:
    priority = 1 if text.endswith("+") else 0
    text = text.removesuffix("+")
    kinds = {"#": "integer", "?": "boolean"}
    kind = kinds.get(text[-1:], "string")
    return Column(text.rstrip("#?"), kind, priority)
