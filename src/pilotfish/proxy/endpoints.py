"""Which endpoints may serve a Service port: one pure function per question.

Sources: Kubernetes documentation, "EndpointSlices" (conditions), "Service Internal Traffic Policy",
"Topology Aware Routing" and "Traffic distribution" (hints), "Virtual IPs and Service Proxies"
(terminating endpoints).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pilotfish.objects.meta import Object, key_of
from pilotfish.proxy.family import Family
from pilotfish.proxy.fronts import Endpoint

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An endpoint of one Service port, with what decides whether it gets connections."""

    endpoint: Endpoint
    ready: bool
    serving: bool
    terminating: bool
    node: str
    zones: frozenset[str]  # hints.forZones
    nodes: frozenset[str]  # hints.forNodes


def candidates(
    slices: Iterable[Object], port_name: str, protocol: str, family: Family
) -> list[Candidate]:
    """All endpoints of a Service port in its slices, in order of address.

    Where two slices name the same endpoint (it may happen while one moves between slices), the one
    that is ready counts.
    """
    address_type = "IPv4" if family.name == "ip" else "IPv6"
    found: dict[Endpoint, Candidate] = {}
    for endpoint_slice in slices:
        if endpoint_slice.get("addressType") != address_type:
            continue
        for port in endpoint_slice.get("ports") or ():
            if (port.get("name") or "") != port_name or not port.get("port"):
                continue
            if (port.get("protocol") or "TCP").lower() != protocol:
                continue
            for described in endpoint_slice.get("endpoints") or ():
                candidate = _candidate(described, port["port"])
                if not family.has(candidate.endpoint.address):
                    log.warning(
                        "EndpointSlice %s: %r is no %s address; this endpoint is left out",
                        key_of(endpoint_slice), candidate.endpoint.address, address_type,
                    )  # fmt: skip
                    continue
                known = found.get(candidate.endpoint)
                if known is None or (candidate.ready and not known.ready):
                    found[candidate.endpoint] = candidate
    return sorted(found.values(), key=_order)


def _order(candidate: Candidate) -> tuple[int, str, int]:
    address, port = candidate.endpoint
    return (len(address), address, port)


def _candidate(described: Object, port: int) -> Candidate:
    conditions = described.get("conditions") or {}
    # What is not said counts as ready; serving is what readiness would be without termination.
    ready = conditions.get("ready") is not False
    serving = conditions.get("serving")
    hints = described.get("hints") or {}
    return Candidate(
        # Of several addresses only the first is ever used (API reference of EndpointSlice).
        Endpoint(described["addresses"][0], port),
        ready=ready,
        serving=ready if serving is None else serving is not False,
        terminating=conditions.get("terminating") is True,
        node=described.get("nodeName") or "",
        zones=frozenset(zone["name"] for zone in hints.get("forZones") or ()),
        nodes=frozenset(node["name"] for node in hints.get("forNodes") or ()),
    )


def usable(all_candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that are ready; when none is, those that still serve while they terminate."""
    ready = [c for c in all_candidates if c.ready and not c.terminating]
    return ready or [c for c in all_candidates if c.serving and c.terminating]


def on_node(all_candidates: Sequence[Candidate], node: str) -> list[Candidate]:
    """Those that run on a node, as the Local traffic policies ask."""
    return [c for c in all_candidates if c.node == node]


def near(chosen: Sequence[Candidate], node: str, zone: str) -> list[Candidate]:
    """Those that the hints keep this node's traffic at; all, when the hints do not cover it.

    Hints count only when every endpoint has them: an endpoint without a hint says that the control
    plane has not spread this set yet. A hint for the node goes before a hint for its zone.
    """
    if chosen and all(c.nodes for c in chosen):
        here = [c for c in chosen if node in c.nodes]
        if here:
            return here
    if zone and chosen and all(c.zones for c in chosen):
        here = [c for c in chosen if zone in c.zones]
        if here:
            return here
    return list(chosen)
