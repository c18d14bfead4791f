"""Affinity: which nodes a Pod wants by their labels, and near or far from which Pods.

"Assigning Pods to Nodes" in the Kubernetes documentation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pilotfish.controllers.node_info import NodeInfo
from pilotfish.objects.meta import Object, labels_of, namespace_of
from pilotfish.objects.node_affinity import matches_node, node_affinity, node_term_matches
from pilotfish.objects.selectors import label_selector


def node_preference(pod: Object, node: Object) -> int:
    """The sum of weights of the preferred node affinity terms that the node meets."""
    preferred = node_affinity(pod).get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    return sum(
        entry["weight"]
        for entry in preferred
        if node_term_matches(entry.get("preference") or {}, node)
    )


def required_terms(pod: Object, kind: str) -> list[Object]:
    """The required terms of `podAffinity` or `podAntiAffinity`."""
    affinity = (pod["spec"].get("affinity") or {}).get(kind) or {}
    return list(affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ())


def term_selects(
    term: Mapping[str, Any], owner: Object, other: Object, namespaces: Mapping[str, Object]
) -> bool:
    """Whether a Pod affinity term of `owner` means the Pod `other`.

    Args:
        term: a PodAffinityTerm.
        owner: the Pod that has the term.
        other: the Pod that may be meant.
        namespaces: all namespaces by name, for `namespaceSelector`.
    """
    listed, selector = term.get("namespaces") or (), term.get("namespaceSelector")
    where = namespace_of(other)
    if selector is not None and label_selector(selector).matches(
        labels_of(namespaces.get(where) or {})
    ):
        in_scope = True
    elif listed:
        in_scope = where in listed
    else:
        in_scope = selector is None and where == namespace_of(owner)
    # A term without a labelSelector means no Pod at all.
    return (
        in_scope
        and term.get("labelSelector") is not None
        and label_selector(term["labelSelector"]).matches(labels_of(other))
    )


def domain(info: NodeInfo, topology_key: str) -> str | None:
    """The node's value of a topology label, or None."""
    return labels_of(info.node).get(topology_key) if info.node else None


def _pods(infos: Iterable[NodeInfo]) -> Iterator[tuple[NodeInfo, Object]]:
    for info in infos:
        for pod in info.pods.values():
            yield info, pod


class PodAffinity:
    """A Pod's required affinity to other Pods, weighed once for all nodes."""

    def __init__(
        self, pod: Object, nodes: list[NodeInfo], namespaces: Mapping[str, Object]
    ) -> None:
        self._near = [
            (term["topologyKey"], self._domains(term, pod, nodes, namespaces))
            for term in required_terms(pod, "podAffinity")
        ]
        # The first Pod of a group that wants to be together has nobody to join.
        self._is_first = not any(domains for _, domains in self._near) and all(
            term_selects(term, pod, pod, namespaces) for term in required_terms(pod, "podAffinity")
        )
        self._far = [
            (term["topologyKey"], self._domains(term, pod, nodes, namespaces))
            for term in required_terms(pod, "podAntiAffinity")
        ]
        self._repelled = [
            (term["topologyKey"], domain(info, term["topologyKey"]))
            for info in nodes
            for other in info.with_anti_affinity.values()
            for term in required_terms(other, "podAntiAffinity")
            if term_selects(term, other, pod, namespaces)
        ]

    @staticmethod
    def _domains(
        term: Mapping[str, Any],
        pod: Object,
        nodes: list[NodeInfo],
        namespaces: Mapping[str, Object],
    ) -> set[str | None]:
        key = term["topologyKey"]
        found = {
            domain(info, key)
            for info, other in _pods(nodes)
            if term_selects(term, pod, other, namespaces)
        }
        return found - {None}

    def refusal(self, info: NodeInfo) -> str | None:
        """Why the node does not do, in the scheduler's words, or None."""
        for key, domains in self._near:
            value = domain(info, key)
            if value is None or (value not in domains and not self._is_first):
                return "node(s) didn't match pod affinity rules"
        for key, domains in self._far:
            if domain(info, key) in domains:
                return "node(s) didn't match pod anti-affinity rules"
        for key, value in self._repelled:
            if value is not None and domain(info, key) == value:
                return "node(s) didn't satisfy existing pods anti-affinity rules"
        return None


class TopologySpread:
    """A Pod's `topologySpreadConstraints` that must hold, weighed once for all nodes."""

    def __init__(self, pod: Object, nodes: list[NodeInfo]) -> None:
        self._constraints: list[tuple[str, int, int, Counter[str]]] = []
        for entry in pod["spec"].get("topologySpreadConstraints") or ():
            if entry.get("whenUnsatisfiable", "DoNotSchedule") != "DoNotSchedule":
                continue
            key, selector = entry["topologyKey"], label_selector(entry.get("labelSelector"))
            counts: Counter[str] = Counter()
            for info in nodes:
                value = domain(info, key)
                if value is None or info.node is None or not matches_node(pod, info.node):
                    continue
                counts[value] += sum(
                    namespace_of(other) == namespace_of(pod) and selector.matches(labels_of(other))
                    for other in info.pods.values()
                )
            itself = int(selector.matches(labels_of(pod)))
            self._constraints.append((key, entry["maxSkew"], itself, counts))

    def refusal(self, info: NodeInfo) -> str | None:
        """Why the node does not do, in the scheduler's words, or None."""
        for key, max_skew, itself, counts in self._constraints:
            value = domain(info, key)
            if value is None:
                return (
                    "node(s) didn't match pod topology spread constraints (missing required label)"
                )
            if counts[value] + itself - min(counts.values(), default=0) > max_skew:
                return "node(s) didn't match pod topology spread constraints"
        return None
