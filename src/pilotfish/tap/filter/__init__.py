"""Filters: which entries somebody wants to see. `compile(text).matches(entry)`."""

from __future__ import annotations

from pilotfish.tap.filter.errors import FilterError
from pilotfish.tap.filter.language import Filter, compile, complete, variables

__all__ = ["Filter", "FilterError", "compile", "complete", "variables"]
