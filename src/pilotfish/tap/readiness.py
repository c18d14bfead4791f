"""Which endpoints of a Service were ready at a moment: from EndpointSlices, as they change."""

from __future__ import annotations

from pilotfish.client.api import Client
from pilotfish.client.informer import Informer
from pilotfish.objects.meta import Object, labels_of, namespace_of

_SERVICE_LABEL = "kubernetes.io/service-name"
_INDEX = "service"


class Readiness:
    """Follows the endpoints of all Services; `run()` must be running."""

    def __init__(self, client: Client) -> None:
        self._slices = Informer(client, "endpointslices.discovery.k8s.io")
        self._slices.index(_INDEX, _service_of)

    async def run(self) -> None:
        """Follow the API server until cancelled."""
        await self._slices.run()

    async def wait_synced(self) -> None:
        """Return once all EndpointSlices are known."""
        await self._slices.synced.wait()

    def ready(self, namespace: str, service: str) -> list[tuple[str, str]]:
        """The (address, name) of each endpoint that is ready now."""
        return [
            (address, _name_of(endpoint) or address)
            for each in self._slices.by_index(_INDEX, f"{namespace}/{service}")
            for endpoint in each.get("endpoints") or ()
            # Unknown means ready (the API's documentation of EndpointConditions).
            if (endpoint.get("conditions") or {}).get("ready") is not False
            for address in endpoint.get("addresses") or ()
        ]


def _name_of(endpoint: Object) -> str:
    """The Pod's name, or that of the node where something else answers."""
    name: str = (endpoint.get("targetRef") or {}).get("name") or endpoint.get("nodeName", "")
    return name


def _service_of(endpoint_slice: Object) -> list[str]:
    name = labels_of(endpoint_slice).get(_SERVICE_LABEL)
    return [f"{namespace_of(endpoint_slice)}/{name}"] if name else []
