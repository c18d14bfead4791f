"""Verbs: which function answers a writing method on a resource, object or subresource."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.creating import create
from pilotfish.apiserver.deleting import delete, delete_collection
from pilotfish.apiserver.errors import method_not_allowed
from pilotfish.apiserver.patching import patch
from pilotfish.apiserver.reviews import review
from pilotfish.apiserver.routing import Route
from pilotfish.apiserver.subresources.binding import bind
from pilotfish.apiserver.subresources.eviction import evict
from pilotfish.apiserver.subresources.finalize import finalize
from pilotfish.apiserver.subresources.scale import patch_scale, update_scale
from pilotfish.apiserver.subresources.token import request_token
from pilotfish.apiserver.updating import update

Verb = Callable[[Core, Call], Awaitable[Answer]]

# The verbs that take objects away, and give nobody anything.
REMOVING: Final[tuple[Verb, ...]] = (delete, delete_collection)
# Their names in discovery. The other verbs are of resources that are not stored.
_NAMES: Final[Mapping[Verb, str]] = {
    create: "create",
    update: "update",
    patch: "patch",
    delete: "delete",
    delete_collection: "deletecollection",
}
# Parts of the object itself: the strategy of its kind says what they may change.
_PARTS: Mapping[str, Verb] = {"PUT": update, "PATCH": patch}
_SUBRESOURCES: Mapping[str, Mapping[str, Verb]] = {
    "binding": {"POST": bind},
    "eviction": {"POST": evict},
    "finalize": {"PUT": finalize},
    "scale": {"PUT": update_scale, "PATCH": patch_scale},
    "token": {"POST": request_token},
}


def verb_for(method: str, route: Route) -> Verb:
    """The function for a method and what the path names.

    Raises:
        StatusError: 405 where there is none.
    """
    resource = route.resource
    verb: Verb | None
    if route.subresource:
        own = _SUBRESOURCES.get(route.subresource)
        if own is None or (route.subresource == "binding" and resource.kind != "Pod"):
            own = _PARTS
        verb = own.get(method)
    elif not resource.is_stored:
        verb = {"POST": bind if resource.kind == "Binding" else review}.get(method)
    elif route.name:
        verb = {"PUT": update, "PATCH": patch, "DELETE": delete}.get(method)
    else:
        verb = {"POST": create, "DELETE": delete_collection}.get(method)
    if verb is None:
        raise method_not_allowed()
    if not route.subresource and verb in _NAMES and _NAMES[verb] not in resource.verbs:
        raise method_not_allowed()
    return verb
