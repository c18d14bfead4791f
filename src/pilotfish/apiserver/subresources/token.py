"""serviceaccounts/token: a signed token for a ServiceAccount (TokenRequest)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import bad_request, conflict, invalid, not_found
from pilotfish.apiserver.incoming import incoming_as
from pilotfish.apiserver.validation.causes import invalid as invalid_field
from pilotfish.objects.meta import Object, uid_of
from pilotfish.objects.resources import resource
from pilotfish.objects.times import format_time

_DEFAULT_S: Final = 3600
_SHORTEST_S: Final = 600
_LONGEST_S: Final = 1 << 32
_HOLDERS: Final = {
    "Node": resource("nodes"),
    "Pod": resource("pods"),
    "Secret": resource("secrets"),
}


async def request_token(core: Core, call: Call) -> Answer:
    """POST a TokenRequest; answers with it, the token in its status.

    Raises:
        StatusError: 404 for a missing account or holder, 409 for a holder of another uid, 422 for a
            lifetime out of bounds.
    """
    request = incoming_as(call, "authentication.k8s.io/v1", "TokenRequest")
    spec = request.get("spec") or {}
    account = core.registry.latest("serviceaccounts", call.key)
    if account is None:
        raise not_found(call.resource, call.route.name)
    lifetime_s = spec.get("expirationSeconds") or _DEFAULT_S
    if not _SHORTEST_S <= lifetime_s <= _LONGEST_S:
        why = (
            "may not specify a duration less than 10 minutes"
            if lifetime_s < _SHORTEST_S
            else "may not specify a duration larger than 2^32 seconds"
        )
        cause = invalid_field("spec.expirationSeconds", lifetime_s, why)
        raise invalid("TokenRequest", "authentication.k8s.io", "", [cause])
    holder = _holder(core, call, spec.get("boundObjectRef"))
    audiences = spec.get("audiences") or [core.tokens.issuer]
    token, expiry = core.tokens.issue(account.decode(), audiences, lifetime_s, holder)
    answer: Object = {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": call.route.name, "namespace": call.route.namespace},
        "spec": {**spec, "audiences": audiences, "expirationSeconds": lifetime_s},
        "status": {
            "token": token,
            "expirationTimestamp": format_time(datetime.fromtimestamp(expiry, UTC)),
        },
    }
    return Answer(answer, 201)


def _holder(core: Core, call: Call, reference: Object | None) -> Object | None:
    """The object that the token is to end with."""
    if reference is None:
        return None
    kind = _HOLDERS.get(reference.get("kind", ""))
    if kind is None or reference.get("apiVersion", "v1") != "v1":
        raise bad_request(f"cannot bind token to object of type {reference.get('kind')}")
    name = reference.get("name", "")
    key = f"{call.route.namespace}/{name}" if kind.namespaced else name
    entry = core.registry.latest(kind.full_name, key)
    if entry is None:
        raise not_found(kind, name)
    holder = entry.decode()
    wanted = reference.get("uid")
    if wanted and wanted != uid_of(holder):
        why = (
            f"the UID in the bound object reference ({wanted}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise conflict(kind, name, why)
    return holder
