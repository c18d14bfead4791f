"""The map: who talks to whom, Pods grouped by their owner, Services between. Pure."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilotfish.dashboard.ends import End
from pilotfish.dashboard.tally import Tally
from pilotfish.objects.meta import Object, name_of, namespace_of
from pilotfish.objects.pods import is_terminal, workload

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilotfish.dashboard.messages import MapEdge, MapNode, MapView
    from pilotfish.dashboard.statistics import Window


@dataclass
class _Edge:
    filter_text: str
    tally: Tally = field(default_factory=Tally)
    protocols: set[str] = field(default_factory=set)


def map_view(pods: Iterable[Object], window: Window) -> MapView:
    """Everybody who talked in a window. pods: all that are there now, which are counted."""
    edges: dict[tuple[End, End], _Edge] = {}
    nodes: dict[End, str] = {}
    for part in window.parts:
        route = part.route
        nodes.setdefault(route.client, "")
        nodes[route.target] = part.host_name or nodes.get(route.target, "")
        ways = [(route.client, route.target, _asks(route.client, route.target))]
        if route.target.kind == "service" and route.backend is not None:
            nodes.setdefault(route.backend, "")
            ways.append((route.target, route.backend, _serves(route.target, route.backend)))
        for source, target, filter_text in ways:
            edge = edges.setdefault((source, target), _Edge(filter_text))
            edge.tally.merge(part.tally)
            edge.protocols.add(route.protocol)
    counts = _pods(pods)
    return {
        "type": "map",
        "window_s": window.span.window_s,
        "nodes": [_node(end, host_name, counts[end]) for end, host_name in nodes.items()],
        "edges": [
            _edge(source, target, edge, window.span.seconds)
            for (source, target), edge in edges.items()
        ],
    }


def _pods(pods: Iterable[Object]) -> Counter[End]:
    """How many Pods each workload has now."""
    found: Counter[End] = Counter()
    for pod in pods:
        if not is_terminal(pod):
            kind, name = workload(pod) or ("Pod", name_of(pod))
            found[End("workload", kind, namespace_of(pod), name)] += 1
    return found


def _node(end: End, host_name: str, pods: int) -> MapNode:
    return {
        "id": end.id,
        "kind": end.kind,
        "owner_kind": end.owner_kind,
        "name": (end.kind == "external" and host_name) or end.name,
        "namespace": end.namespace,
        "pods": pods,
    }


def _edge(source: End, target: End, edge: _Edge, seconds: float) -> MapEdge:
    p50, p99 = edge.tally.latencies.percentiles(0.5, 0.99)
    return {
        "source": source.id,
        "target": target.id,
        "protocols": sorted(edge.protocols),
        "requests": edge.tally.requests,
        "errors": edge.tally.errors,
        "rate_per_s": edge.tally.requests / seconds,
        "p50_us": p50,
        "p99_us": p99,
        "filter": edge.filter_text,
    }


def _asks(client: End, target: End) -> str:
    """The filter for what `client` asks `target`."""
    return f"{_is('src', client)} && {_is_target(target)} && !probe"


def _serves(service: End, backend: End) -> str:
    """The filter for what a Service leads to `backend`."""
    return f"{_is_target(service)} && {_is('endpoint', backend)} && !probe"


def _is_target(end: End) -> str:
    if end.kind == "service":
        name, namespace = json.dumps(end.name), json.dumps(end.namespace)
        return f"dst.service.name == {name} && dst.service.namespace == {namespace}"
    return _is("dst", end)


def _is(party: str, end: End) -> str:
    name = json.dumps(end.name)
    match end.kind:
        case "workload":
            namespace = json.dumps(end.namespace)
            place = f'{party}.kind == "pod" && {party}.pod.namespace == {namespace}'
            if end.owner_kind == "Pod":
                return f'{place} && {party}.pod.name == {name} && {party}.pod.owner.name == ""'
            kind = json.dumps(end.owner_kind)
            owner = f"{party}.pod.owner"
            return f"{place} && {owner}.kind == {kind} && {owner}.name == {name}"
        case "node":
            return f'{party}.kind == "node" && {party}.name == {name}'
        case "host":
            return f'{party}.kind == "host"'
        case _:
            return f'{party}.kind == "external" && {party}.ip == {name}'
