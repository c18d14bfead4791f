"""Verbs: which function answers a writing method on a resource, object or subresource."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.creating import create
from pilotfish.apiserver.deleting import delete, delete_collection
from pilotfish.apiserver.errors import method_not_allowed
from pilotfish.apiserver.patching import patch
from pilotfish.apiserver.routing import Route
from pilotfish.apiserver.updating import update

Verb = Callable[[Core, Call], Awaitable[Answer]]


def verb_for(method: str, route: Route) -> Verb:
    """The function for a method and what the path names.

    Raises:
        StatusError: 405 where there is none.
    """
    if route.subresource:
        verb = {"PUT": update, "PATCH": patch}.get(method)
    elif route.name:
        verb = {"PUT": update, "PATCH": patch, "DELETE": delete}.get(method)
    else:
        verb = {"POST": create, "DELETE": delete_collection}.get(method)
    if verb is None:
        raise method_not_allowed()
    return verb
