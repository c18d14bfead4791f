"""Which nodes a Pod may run on by their labels: nodeSelector and required node affinity.

"Assigning Pods to Nodes" in the Kubernetes documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.objects.meta import Object, labels_of, name_of
from pilotfish.objects.selectors import label_selector


def matches_node(pod: Object, node: Object) -> bool:
    """Whether the Pod's nodeSelector and required node affinity accept the node."""
    spec = pod["spec"]
    selector = spec.get("nodeSelector") or {}
    if not selector.items() <= labels_of(node).items():
        return False
    required = node_affinity(pod).get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    return any(node_term_matches(term, node) for term in required.get("nodeSelectorTerms") or ())


def node_affinity(pod: Object) -> Mapping[str, Any]:
    """The Pod's node affinity; empty when it has none."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity")
    return affinity or {}


def node_term_matches(term: Mapping[str, Any], node: Object) -> bool:
    """Whether a NodeSelectorTerm matches; an empty term matches nothing."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    named = {"metadata.name": name_of(node)}
    return label_selector({"matchExpressions": expressions}).matches(
        labels_of(node)
    ) and label_selector({"matchExpressions": fields}).matches(named)
