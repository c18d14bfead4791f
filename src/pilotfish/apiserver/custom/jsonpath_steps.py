"""The steps of JSON paths, each from values to values."""

from __future__ import annotations

from dataclasses import dataclass


class JsonPathError(ValueError):
    """A text that is no JSON path, or a path that does not fit an object."""


@dataclass(frozen=True)
class Text:
    """A quoted text, whatever is there."""

    text: str


@dataclass(frozen=True)
class Constant:
    """A number or boolean for each value."""

    value: bool | float | int


@dataclass(frozen=True)
class Name:
    """A word that stands for itself; it has no meaning in paths of one value."""

    name: str


@dataclass(frozen=True)
class Key:
    """The entry of that name of a map."""

    name: str


@dataclass(frozen=True)
class All:
    """All entries of maps and lists."""


@dataclass(frozen=True)
class Descendants:
    """A value and all that is below it."""


@dataclass(frozen=True)
class Elements:
    """A part of a list.

    Attributes:
        start, end, step: as in Go's slices; None where the path leaves them out.
        is_one: whether the path names one index, so that `end` is the one after it.
    """

    start: int | None
    end: int | None
    step: int | None
    is_one: bool


@dataclass(frozen=True)
class Union:
    """What several paths find, one after the other."""

    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Filter:
    """The elements of a list for which a comparison holds.

    Attributes:
        operator: "exists" for a path alone.
    """

    left: Path
    operator: str
    right: Path


Step = All | Constant | Descendants | Elements | Filter | Key | Name | Text | Union
Path = tuple[Step, ...]
