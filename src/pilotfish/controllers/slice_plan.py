"""How a Service's endpoints are laid out over EndpointSlices with the fewest writes.

A slice holds at most 100 endpoints, all with the same ports. What is in a slice
stays there; new endpoints go to slices that must be written anyway, then to one
with room, then to new ones ("EndpointSlices: Distribution of EndpointSlices" in
the Kubernetes documentation).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pilotfish.controllers.endpoints_of_pods import (
    Ports,
    ports_of_slice,
    slice_ports,
)
from pilotfish.objects.meta import (
    Object,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
)

MAX_ENDPOINTS = 100
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"


@dataclass(slots=True)
class SlicePlan:
    """The writes that bring the slices up to date."""

    create: list[Object] = field(default_factory=list)
    update: list[Object] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)


def plan_slices(
    owner: Object,
    labels: Mapping[str, str],
    address_type: str,
    wanted: Mapping[Ports, Mapping[str, Object]],
    existing: list[Object],
) -> SlicePlan:
    """The writes from the existing slices of one address family to the wanted endpoints.

    Args:
        owner: the Service (or, for mirrored ones, the Endpoints) that owns the slices.
        labels: what every slice must be labelled with.
        address_type: `IPv4` or `IPv6`.
        wanted: endpoints by an identity that lasts (a Pod's uid), grouped by ports.
        existing: the slices of this owner and family.
    """
    plan = SlicePlan()
    spare: list[Object] = []
    lacking: list[tuple[Ports, list[Object]]] = []
    by_ports: dict[Ports, list[Object]] = {}
    for present in existing:
        if not is_deleting(present):
            by_ports.setdefault(ports_of_slice(present), []).append(present)
    for ports, endpoints in wanted.items():
        placed, emptied, left = _place(by_ports.pop(ports, []), endpoints, labels)
        plan.update += placed
        spare += emptied
        lacking += ((ports, left[at : at + MAX_ENDPOINTS]) for at in range(0, len(left), 100))
    spare += (present for group in by_ports.values() for present in group)
    if not wanted:
        # One slice stays, empty, to say that the Service is known and has no endpoints.
        lacking = [((), [])]
    for ports, endpoints_left in lacking:
        if spare:
            # A slice that would go is written anew instead: one change, not two.
            present = spare.pop(0)
            changed = _rewritten(present, labels, endpoints_left) | {"ports": slice_ports(ports)}
            if _differs(present, changed):
                plan.update.append(changed)
        else:
            plan.create.append(_new_slice(owner, labels, address_type, ports, endpoints_left))
    plan.delete = spare
    return plan


def _place(
    slices: list[Object], endpoints: Mapping[str, Object], labels: Mapping[str, str]
) -> tuple[list[Object], list[Object], list[Object]]:
    """Lay endpoints over slices with their ports.

    Returns:
        Slices to update, slices left empty, and endpoints without a place.
    """
    left = dict(endpoints)
    kept = [(present, _kept(present, left)) for present in slices]
    homeless = list(left.values())
    changed = [
        (present, entries)
        for present, entries in kept
        if entries != (present.get("endpoints") or []) or not _labelled(present, labels)
    ]
    for _, entries in changed:
        if entries:
            homeless = _fill(entries, homeless)
    if homeless and len(homeless) < MAX_ENDPOINTS:
        # The fullest slice that takes them all.
        room = MAX_ENDPOINTS - len(homeless)
        fits = [pair for pair in kept if 0 < len(pair[1]) <= room]
        if fits:
            best = max(fits, key=lambda pair: len(pair[1]))
            homeless = _fill(best[1], homeless)
            if all(best[0] is not present for present, _ in changed):
                changed.append(best)
    update = [_rewritten(present, labels, entries) for present, entries in changed if entries]
    return update, [present for present, entries in kept if not entries], homeless


def _kept(present: Object, left: dict[str, Object]) -> list[Object]:
    """The slice's endpoints that are still wanted, as they are wanted; taken out of `left`."""
    entries = []
    for entry in present.get("endpoints") or ():
        wanted = left.pop(identity(entry), None)
        if wanted is not None:
            entries.append(wanted)
    return entries


def identity(endpoint: Object) -> str:
    """What makes an endpoint the same one over time: its Pod's uid, or its address."""
    uid: str = (endpoint.get("targetRef") or {}).get("uid", "")
    return uid or str(endpoint["addresses"][0])


def _fill(entries: list[Object], homeless: list[Object]) -> list[Object]:
    room = MAX_ENDPOINTS - len(entries)
    entries += homeless[:room]
    return homeless[room:]


def _labelled(present: Object, labels: Mapping[str, str]) -> bool:
    return labels_of(present) == labels


def _rewritten(present: Object, labels: Mapping[str, str], endpoints: list[Object]) -> Object:
    metadata = {**present["metadata"], "labels": dict(labels)}
    return {**present, "metadata": metadata, "endpoints": endpoints}


def _differs(present: Object, changed: Object) -> bool:
    return (
        (present.get("endpoints") or []) != changed["endpoints"]
        or ports_of_slice(present) != ports_of_slice(changed)
        or labels_of(present) != labels_of(changed)
    )


def _new_slice(
    owner: Object,
    labels: Mapping[str, str],
    address_type: str,
    ports: Ports,
    endpoints: list[Object],
) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{name_of(owner)}-",
            "namespace": namespace_of(owner),
            "labels": dict(labels),
            "ownerReferences": [owner_reference(owner)],
        },
        "addressType": address_type,
        "endpoints": endpoints,
        "ports": slice_ports(ports),
    }
