"""Filters: which entries somebody wants to see. `compile(text).matches(entry)`."""

from __future__ import annotations

from pilotfish.cel.errors import ExpressionError as FilterError
from pilotfish.tap.filter.language import Filter, compile, complete, variables

__all__ = ["Filter", "FilterError", "compile", "complete", "variables"]
