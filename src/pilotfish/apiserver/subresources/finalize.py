"""namespaces/finalize: the namespace controller's word that a Namespace is empty."""

from __future__ import annotations

from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.incoming import incoming_object
from pilotfish.apiserver.updating import check_preconditions, replace
from pilotfish.objects.meta import Object


async def finalize(core: Core, call: Call) -> Answer:
    """PUT a Namespace with the finalizers that are left; without any it is gone.

    Raises:
        StatusError: 400, 404 or 409.
    """
    wanted = incoming_object(call)

    def finalized(namespace: Object) -> Object:
        name = call.route.name
        check_preconditions(call.resource, name, wanted["metadata"], namespace["metadata"])
        finalizers = (wanted.get("spec") or {}).get("finalizers") or []
        namespace["spec"] = {**namespace.get("spec", {}), "finalizers": finalizers}
        if not finalizers:
            del namespace["spec"]["finalizers"]
        return namespace

    entry = await replace(
        core, call.resource, call.key, finalized, subresource="finalize", dry_run=call.dry_run
    )
    return Answer(entry.data)
