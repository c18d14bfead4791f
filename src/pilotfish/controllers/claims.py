"""Which objects a controller may count as its own: adoption and release by selector.

A controller owns what names it as managing controller and matches its
selector. It releases what no longer matches, and adopts what matches and has
no controller ("ReplicaSet: Non-Template Pod acquisitions" in the Kubernetes
documentation).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pilotfish.client.api import Client
from pilotfish.client.errors import NotFound
from pilotfish.client.informer import Informer
from pilotfish.objects.meta import (
    Object,
    controller_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
)
from pilotfish.objects.resources import resource_of
from pilotfish.objects.selectors import LabelSelector


@dataclass(slots=True)
class Claim:
    """What an owner has, what it should take and what it should let go."""

    owned: list[Object] = field(default_factory=list)
    adopt: list[Object] = field(default_factory=list)
    release: list[Object] = field(default_factory=list)


def claim(owner: Object, selector: LabelSelector, candidates: Iterable[Object]) -> Claim:
    """Sort candidates of the owner's namespace; other owners' objects are in none of the lists."""
    result = Claim()
    for candidate in candidates:
        reference = controller_of(candidate)
        matches = selector.matches(labels_of(candidate))
        if reference is not None:
            if reference.get("uid") != uid_of(owner):
                continue
            if matches:
                result.owned.append(candidate)
            elif not is_deleting(owner):
                result.release.append(candidate)
        elif matches and not is_deleting(owner) and not is_deleting(candidate):
            result.adopt.append(candidate)
    return result


def adoption_patch(owner: Object, orphan: Object) -> dict[str, Any]:
    """The merge patch that makes `owner` the managing controller.

    It carries the orphan's uid, so that it fails for a namesake.
    """
    others = orphan["metadata"].get("ownerReferences") or []
    kept = [reference for reference in others if reference["uid"] != uid_of(owner)]
    return {
        "metadata": {
            "uid": uid_of(orphan),
            "resourceVersion": orphan["metadata"]["resourceVersion"],
            "ownerReferences": [*kept, owner_reference(owner)],
        }
    }


def release_patch(owner: Object, owned: Object) -> dict[str, Any]:
    """The merge patch that takes `owner` out of the owner references."""
    references = owned["metadata"].get("ownerReferences") or []
    kept = [reference for reference in references if reference["uid"] != uid_of(owner)]
    return {
        "metadata": {
            "uid": uid_of(owned),
            "resourceVersion": owned["metadata"]["resourceVersion"],
            "ownerReferences": kept or None,
        }
    }


def candidates_of(informer: Informer, owner: Mapping[str, Any]) -> list[Object]:
    """The objects that an owner could own: those it has and its namespace's orphans."""
    owned = informer.by_index("owner", owner["metadata"]["uid"])
    mine = [obj for obj in owned if (controller_of(obj) or {}).get("uid") == uid_of(dict(owner))]
    return [*mine, *informer.by_index("orphan", namespace_of(owner))]


async def settle_claim(client: Client, resource: str, owner: Object, found: Claim) -> list[Object]:
    """Write the adoptions and releases; returns what the owner has now.

    Before anything is adopted the API server is asked for the owner: a cache may
    not know yet that it is being deleted, and what a dead owner adopts is garbage.
    """
    owned = list(found.owned)
    adopt = found.adopt if found.adopt and await _may_adopt(client, owner) else []
    for orphan in adopt:
        patch = adoption_patch(owner, orphan)
        try:
            owned.append(await client.patch(resource, name_of(orphan), patch, namespace_of(orphan)))
        except NotFound:
            continue  # deleted meanwhile: nothing left to adopt
    for released in found.release:
        patch = release_patch(owner, released)
        try:
            await client.patch(resource, name_of(released), patch, namespace_of(released))
        except NotFound:
            continue
    return owned


async def _may_adopt(client: Client, owner: Object) -> bool:
    described = resource_of(owner)
    assert described is not None, "owners are of built-in kinds"
    try:
        live = await client.get(described.full_name, name_of(owner), namespace_of(owner))
    except NotFound:
        return False
    return uid_of(live) == uid_of(owner) and not is_deleting(live)
