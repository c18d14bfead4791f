"""Words that many tables share: labels, selectors, shortened lists, templates' containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pilotfish.apiserver.tables.printer import NONE

_SHOWN = 3


def labels(pairs: Mapping[str, str] | None) -> str:
    """`app=web,tier=front`, or `<none>`."""
    return ",".join(f"{key}={value}" for key, value in sorted((pairs or {}).items())) or NONE


def selector(value: Mapping[str, Any] | None) -> str:
    """A LabelSelector in the notation of `kubectl -l`."""
    if not value:
        return NONE
    parts = [(key, f"{key}={text}") for key, text in (value.get("matchLabels") or {}).items()]
    for expression in value.get("matchExpressions") or ():
        key, operator = expression.get("key", ""), expression.get("operator", "")
        if operator in ("In", "NotIn"):
            chosen = ",".join(sorted(expression.get("values") or ()))
            parts.append((key, f"{key} {operator.lower()} ({chosen})"))
        else:
            parts.append((key, key if operator == "Exists" else f"!{key}"))
    return ",".join(text for _, text in sorted(parts)) or NONE


def shortened(items: Sequence[str], nothing: str) -> str:
    """The first three of a list, and how many more there are."""
    if not items:
        return nothing
    text = ",".join(items[:_SHOWN])
    return f"{text} + {len(items) - _SHOWN} more..." if len(items) > _SHOWN else text


def containers(template: Mapping[str, Any] | None) -> tuple[str, str]:
    """The names and the images of a template's containers."""
    listed = ((template or {}).get("spec") or {}).get("containers") or ()
    names = ",".join(container.get("name", "") for container in listed)
    images = ",".join(container.get("image", "") for container in listed)
    return names, images
