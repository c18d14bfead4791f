"""Whether a schema has rules: to be asked before the language of rules is imported."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.custom.keywords import RULES


def has_rules(schema: Any) -> bool:
    """Whether rules stand anywhere in a schema."""
    if isinstance(schema, dict):
        return RULES in schema or any(map(has_rules, schema.values()))
    return isinstance(schema, list) and any(map(has_rules, schema))
