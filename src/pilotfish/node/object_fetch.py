"""Getting the ConfigMaps and Secrets that a Pod refers to."""

from __future__ import annotations

import asyncio

from pilotfish.client.errors import ApiError, NotFound, Unreachable
from pilotfish.node.context import NodeContext
from pilotfish.node.environment import Reference
from pilotfish.node.errors import ContainerConfigError
from pilotfish.objects.meta import Object

_RESOURCES = {"configmap": "configmaps", "secret": "secrets"}


async def fetch(
    node: NodeContext, namespace: str, wanted: set[Reference]
) -> dict[Reference, Object | None]:
    """The ConfigMaps and Secrets asked for; None for those that do not exist.

    Raises ContainerConfigError when the API server cannot be asked: the start is tried again.
    """

    async def get(reference: Reference) -> Object | None:
        try:
            return await node.client.get(_RESOURCES[reference.kind], reference.name, namespace)
        except NotFound:
            return None
        except (ApiError, Unreachable) as error:
            message = f'failed to get {reference.kind} "{reference.name}": {error}'
            raise ContainerConfigError(message) from error

    ordered = list(wanted)
    found = await asyncio.gather(*(get(reference) for reference in ordered))
    return dict(zip(ordered, found, strict=True))
