"""What an expression can refer to: variables and functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pilotfish.cel.types import Type

if TYPE_CHECKING:
    from pilotfish.cel.functions import Function

# What the variables are found in when an expression runs.
Scope = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that stands alone.

    Attributes:
        name, type, doc: what it is.
        get: its value in a scope.
        values: the only values that it has; empty: any.
    """

    name: str
    type: Type
    doc: str
    get: Callable[[Scope], Any]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    """A language: CEL with these names.

    Attributes:
        variables, functions: by name; a function's may have a dot: `ip.isCanonical`.
        types: names with dots that mean a type (`net.IP`), with the name that `type()` gives it.
        has_extensions: whether there are the macros that Kubernetes added from 1.32 on: loops
            with two variables, and sortBy.
        max_steps: that all loops of one expression may take for one scope.
        subject: what errors call an expression: "a filter".
    """

    variables: Mapping[str, Variable]
    functions: Mapping[str, Function]
    max_steps: int
    subject: str = "the expression"
    types: Mapping[str, str] = field(default_factory=dict)
    has_extensions: bool = False
