"""JSON paths of printer columns and scales: `.status.conditions[?(@.type=="Ready")].status`.

The part of kubectl's JSONPath that custom resource definitions use: fields, quoted fields,
indexes, `[*]`, and filters that compare a field with a constant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

import orjson

Step = Callable[[Any], Iterable[Any]]

_STEP: Final = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\]\\])+)          # .field, with \. for a dot
      | \[\s*(?P<quote>['"])(?P<name>.*?)(?P=quote)\s*\]   # ['field']
      | \[\s*(?P<index>-?\d+)\s*\]                # [0]
      | (?:\.|\[\s*)(?P<all>\*)\s*\]?             # [*]
      | \[\?\(\s*@(?P<path>[^=!<>]*?)\s*(?:(?P<operator>==|!=)\s*(?P<value>.*?))?\s*\)\]
    """,
    re.VERBOSE,
)


class JsonPathError(ValueError):
    """A text that is no JSON path of this kind."""


def values_at(obj: Any, path: str) -> list[Any]:
    """What an object has at a path; several values where the path leads to several.

    Raises:
        JsonPathError: for a path that cannot be read.
    """
    values = [obj]
    for step in _steps(path):
        values = [found for value in values for found in step(value)]
    return values


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    position = 0
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise JsonPathError(f"{path!r} cannot be read from {text[position:]!r} on")
        steps.append(_step(match))
        position = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    if match["all"]:
        return _everything
    if match["index"]:
        return _element(int(match["index"]))
    if match["path"] is not None:
        return _filter(match["path"], match["operator"], match["value"])
    name = match["name"] if match["quote"] else re.sub(r"\\(.)", r"\1", match["field"])
    return lambda value: [value[name]] if isinstance(value, dict) and name in value else []


def _everything(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _element(index: int) -> Step:
    def step(value: Any) -> Iterable[Any]:
        found = isinstance(value, list) and -len(value) <= index < len(value)
        return [value[index]] if found else []

    return step


def _filter(path: str, operator: str | None, text: str) -> Step:
    wanted = _constant(text) if operator else None

    def keeps(item: Any) -> bool:
        found = values_at(item, path)
        if operator == "!=":
            return wanted not in found
        return wanted in found if operator else bool(found)

    return lambda value: [item for item in _everything(value) if keeps(item)]


def _constant(text: str) -> Any:
    if text[:1] == "'" and text[-1:] == "'":
        return text[1:-1]
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise JsonPathError(f"{text!r} is no constant") from error
