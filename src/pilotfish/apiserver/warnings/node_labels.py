"""Warnings about labels of nodes that were renamed (Kubernetes' pkg/api/node/util.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

_RENAMED: Final = {
    "beta.kubernetes.io/arch": ("v1.14", "kubernetes.io/arch"),
    "beta.kubernetes.io/instance-type": ("v1.17", "node.kubernetes.io/instance-type"),
    "beta.kubernetes.io/os": ("v1.14", "kubernetes.io/os"),
    "failure-domain.beta.kubernetes.io/region": ("v1.17", "topology.kubernetes.io/region"),
    "failure-domain.beta.kubernetes.io/zone": ("v1.17", "topology.kubernetes.io/zone"),
}


def renamed(label: str) -> str:
    """The words about a renamed label of nodes; "" for one that is current."""
    if label not in _RENAMED:
        return ""
    since, instead = _RENAMED[label]
    return f'deprecated since {since}; use "{instead}" instead'


def expression_warnings(selector: dict[str, Any], at: str) -> Iterator[str]:
    """Warn about the matchExpressions of a term or a selector at a path."""
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        label = expression.get("key", "")
        if why := renamed(label):
            yield f"{at}.matchExpressions[{index}].key: {label} is {why}"
