"""Get: one object, as it was encoded when it was written."""

from __future__ import annotations

from pilotfish.apiserver.call import Call
from pilotfish.apiserver.codec import encode_body
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import method_not_allowed, not_found
from pilotfish.apiserver.subresources.scale import scale_of
from pilotfish.apiserver.versions import from_stored


def get(core: Core, call: Call) -> bytes:
    """The object that the path names, as JSON.

    Raises:
        StatusError: 404, or 405 for a subresource that is only written.
    """
    resource = call.resource
    entry = core.registry.collection(resource.full_name).get(call.key)
    if entry is None:
        raise not_found(resource, call.route.name)
    match call.route.subresource:
        case "scale":
            return encode_body(scale_of(resource, entry.decode()))
        case "binding" | "eviction" | "finalize" | "token" if resource.kind != "ResourceClaim":
            raise method_not_allowed()
    return from_stored(resource, entry.data)
