"""Canonical text of resource quantities: the API answers `1` to `1000m` and `1Gi` to `1024Mi`."""

from __future__ import annotations

import re
from typing import Any

from pilotfish.objects.quantities import format_quantity, parse_quantity

# Most manifests are canonical already: whole numbers that the next larger suffix cannot carry.
_WHOLE = re.compile(r"(0|[1-9][0-9]*)([KMGTPE]i|[mkMGTPE]?)\Z")


def canonical(value: Any) -> Any:
    """The canonical text of a quantity; what is no quantity is left for validation to refuse."""
    text = str(value)
    match = _WHOLE.match(text)
    if match is not None:
        number, suffix = match.groups()
        if suffix.endswith("i"):
            if int(number) % 1024:
                return text
        elif not number.endswith("000") and number != "0":
            return text
    try:
        number_value = parse_quantity(text)
    except ValueError:
        return value
    return format_quantity(number_value, binary=text.endswith("i"))


def canonicalize(amounts: dict[str, Any] | None) -> None:
    """Make every quantity of a resource list canonical, in place."""
    if amounts:
        amounts.update({name: canonical(value) for name, value in amounts.items()})
