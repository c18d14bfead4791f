"""The syntax tree of an expression."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pilotfish.cel.types import Type


@dataclass(frozen=True, slots=True)
class Node:
    """Attributes:
    at, width: the place in the text that errors about this node point at.
    depth: how many nodes lie within one another here.
    """

    at: int
    width: int
    depth: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, string, … as its value; an int may be one too large until it is negated."""

    value: Any
    type: Type


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name that stands alone."""

    name: str


@dataclass(frozen=True, slots=True)
class Select(Node):
    """`operand.field`, or `operand.?field`"""

    operand: Node
    field: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`operand[key]`, or `operand[?key]`"""

    operand: Node
    key: Node
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`function(arguments)`, or `target.function(arguments)`."""

    function: str
    target: Node | None
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`!operand` or `-operand`"""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Comparison, `in` or arithmetic."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """A chain of `&&`, or of `||`."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`condition ? yes : no`"""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Maybe(Node):
    """`?operand` as an item or key: an optional, left out where it has no value."""

    operand: Node


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    """`[items]`"""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapOf(Node):
    """`{key: value}`; a key that is `Maybe` has an optional value."""

    entries: tuple[tuple[Node, Node], ...]


def depth_over(nodes: Iterable[Node]) -> int:
    """The depth of a node that holds these."""
    return 1 + max((node.depth for node in nodes), default=0)
