"""What may have been meant where types do not fit: text for "did you mean …?"."""

from __future__ import annotations

from pilotfish.cel import syntax
from pilotfish.cel.types import BOOL, INT, NUMBERS, STRING, ObjectType, Type


def value(text: str, node: syntax.Node, wanted: Type) -> str:
    """A literal that was meant to have the type `wanted`: 200 for "200", and so on."""
    if not isinstance(node, syntax.Literal):
        return ""
    given = node.value
    if wanted == STRING and type(given) in (int, float):
        return f'"{given}"'
    if not isinstance(given, str):
        return ""
    if wanted == INT and given.isdecimal() and len(given) < 20:
        return given
    if wanted == BOOL and given in ("true", "false"):
        return given
    if wanted.name in ("timestamp", "duration"):
        # "2026-…" is a moment, whatever it is compared with or added to.
        made = "timestamp" if given[4:5] == "-" else "duration"
        return f"{made}({text[node.at : node.at + node.width]})"
    return ""


def condition(text: str, node: syntax.Node, given: Type) -> str:
    """The comparison that was meant by a bare name: `status_code > 0`."""
    if not isinstance(node, syntax.Name | syntax.Select) or isinstance(given, ObjectType):
        return ""
    start = node.at
    while start and (text[start - 1].isalnum() or text[start - 1] in "._"):
        start -= 1
    path = text[start : node.at + node.width]
    if given == STRING:
        return f'{path} != ""'
    return f"{path} > 0" if given in NUMBERS else ""


def contains(text: str, node: syntax.Binary) -> str:
    """`path.contains("a")` for `"a" in path`, where both sides are short."""
    left, right = text[: node.at].strip(), text[node.at + node.width :].strip()
    return f"{right}.contains({left})" if len(left) + len(right) < 60 else ""
