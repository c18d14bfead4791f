"""Get: one object, as it was encoded when it was written."""

from __future__ import annotations

from pilotfish.apiserver.call import Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import not_found
from pilotfish.apiserver.versions import from_stored


def get(core: Core, call: Call) -> bytes:
    """The object that the path names, as JSON.

    Raises:
        StatusError: 404.
    """
    resource = call.resource
    entry = core.registry.collection(resource.full_name).get(call.key)
    if entry is None:
        raise not_found(resource, call.route.name)
    return from_stored(resource, entry.data)
