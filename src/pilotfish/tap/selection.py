"""What `pilotfish tap` is asked to look at, as an expression of the filter language."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_PARTIES = ("src.pod", "dst.service", "dst.pod")


def selection(namespace: str, names: Sequence[str], filter_text: str = "") -> str:
    """The filter that lets through what concerns these Pods and Services.

    Args:
        namespace: theirs; "" for all namespaces.
        names: names of Pods or Services (a Pod also by the beginning of its name, up to a dash),
            or regular expressions (RE2) of whole names; none for all.
        filter_text: a further expression that must hold.
    """
    terms = []
    if namespace:
        quoted = json.dumps(namespace)
        terms.append(" || ".join(f"{party}.namespace == {quoted}" for party in _PARTIES))
    if names:
        pattern = json.dumps(name_pattern(names))
        terms.append(" || ".join(f"{party}.name.matches({pattern})" for party in _PARTIES))
    if filter_text.strip():
        terms.append(filter_text)
    return terms[0] if len(terms) == 1 else " && ".join(f"({term})" for term in terms)


def name_pattern(names: Sequence[str]) -> str:
    """The regular expression (RE2) of the names that are meant."""
    return f"^(?:{'|'.join(map(_pattern, names))})$"


def _pattern(name: str) -> str:
    """A plain name is also that of a workload, whose Pods are called name-xyz."""
    plain = re.fullmatch(r"[a-z0-9.-]+", name) is not None
    return f"{name}(?:-[a-z0-9-]+)?" if plain else name
