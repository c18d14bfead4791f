"""Revisions: the templates that a DaemonSet or StatefulSet has had, as ControllerRevisions.

`kubectl rollout history` and `undo` read them. A revision holds the patch that
brings its template back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from pilotfish.client.api import Client
from pilotfish.client.errors import AlreadyExists, NotFound
from pilotfish.controllers.pod_template import significant, template_hash
from pilotfish.objects.meta import (
    Object,
    annotations_of,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
)

log = logging.getLogger(__name__)

REVISIONS = "controllerrevisions.apps"
HASH_LABEL = "controller-revision-hash"
_CHANGE_CAUSE = "kubernetes.io/change-cause"


def revision_data(owner: Object) -> Object:
    """The patch that gives an owner its present template again."""
    return {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}


def revision_template(revision: Object) -> Object:
    """The Pod template that a revision holds."""
    template: Object = revision["data"]["spec"]["template"]
    return {key: value for key, value in template.items() if key != "$patch"}


def revision_hash(owner: Object) -> str:
    """The value of `controller-revision-hash` for the owner's present template."""
    collisions = (owner.get("status") or {}).get("collisionCount") or 0
    return template_hash(owner["spec"]["template"], collisions)


def make_revision(owner: Object, number: int) -> Object:
    """The ControllerRevision of the owner's present template."""
    digest = revision_hash(owner)
    template_labels = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
    metadata: Object = {
        "name": f"{name_of(owner)}-{digest}",
        "namespace": namespace_of(owner),
        "labels": {**template_labels, HASH_LABEL: digest},
        "ownerReferences": [owner_reference(owner)],
    }
    cause = annotations_of(owner).get(_CHANGE_CAUSE)
    if cause:
        metadata["annotations"] = {_CHANGE_CAUSE: cause}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": metadata,
        "data": revision_data(owner),
        "revision": number,
    }


def find_revision(owner: Object, revisions: Iterable[Object]) -> Object | None:
    """The revision that holds the owner's present template, or None."""
    wanted = significant(revision_data(owner))
    return next((entry for entry in revisions if significant(entry.get("data")) == wanted), None)


def next_number(revisions: Iterable[Object]) -> int:
    """The number after the highest."""
    return max((entry["revision"] for entry in revisions), default=0) + 1


def surplus_revisions(revisions: Sequence[Object], used: Iterable[str], limit: int) -> list[Object]:
    """Revisions beyond the history limit, oldest first; those with a hash in use stay."""
    kept = frozenset(used)
    idle = [entry for entry in revisions if labels_of(entry).get(HASH_LABEL) not in kept]
    idle.sort(key=lambda entry: int(entry["revision"]))
    return idle[: max(0, len(idle) - limit)]


async def current_revision(client: Client, owner: Object, revisions: Sequence[Object]) -> Object:
    """The owner's present revision, made if it is new, and made the highest if it is an old one."""
    found = find_revision(owner, revisions)
    highest = next_number(revisions) - 1
    if found is None:
        try:
            return await client.create(REVISIONS, make_revision(owner, highest + 1))
        except AlreadyExists:
            wanted = make_revision(owner, highest + 1)
            return await client.get(REVISIONS, name_of(wanted), namespace_of(owner))
    if found["revision"] < highest:
        patch = {"revision": highest + 1}
        return await client.patch(REVISIONS, name_of(found), patch, namespace_of(found))
    return found


async def delete_revisions(client: Client, revisions: Iterable[Object]) -> None:
    """Delete revisions that history does not need."""
    for revision in revisions:
        try:
            await client.delete(
                REVISIONS, name_of(revision), namespace_of(revision), uid=uid_of(revision)
            )
        except NotFound:
            log.debug("ControllerRevision %s was gone already", key_of(revision))
