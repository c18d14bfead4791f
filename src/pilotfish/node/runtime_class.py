"""A Pod's RuntimeClass: which runtime its containers run under. There is one, runc."""

from __future__ import annotations

from typing import Final

from pilotfish.client.api import Client
from pilotfish.client.errors import NotFound
from pilotfish.node.sandbox import SandboxFailed
from pilotfish.objects.meta import Object

_CLASSES: Final = "runtimeclasses.node.k8s.io"
_HANDLER: Final = "runc"


async def check_runtime(client: Client, pod: Object) -> None:
    """See that the handler of the Pod's class can run it.

    Raises SandboxFailed with the Event's text, and what the API server's client raises.
    """
    name = pod.get("spec", {}).get("runtimeClassName")
    if not name:
        return
    try:
        found = await client.get(_CLASSES, name)
    except NotFound as error:
        message = f'Failed to create pod sandbox: RuntimeClass "{name}" not found'
        raise SandboxFailed(message) from error
    handler = found.get("handler", "")
    if handler != _HANDLER:
        raise SandboxFailed(
            f'Failed to create pod sandbox: no runtime for "{handler}" is configured; '
            f'"{_HANDLER}" is'
        )
