"""Tells people of a load-balancing annotation that means nothing: their Service is at random.

One controller says it once for the cluster; each node's proxy would say it again.
"""

from __future__ import annotations

from pilotfish.controllers.controller import Context, Controller
from pilotfish.objects.load_balancing import (
    LOAD_BALANCING,
    RANDOM,
    ROUND_ROBIN,
    unknown_load_balancing,
)
from pilotfish.objects.meta import Object


class LoadBalancingController(Controller):
    """Writes a Warning Event about each Service with such an annotation."""

    name = "load-balancing-controller"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._services = self.informer("services")
        self._services.on_change(self._service_changed)

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None or unknown_load_balancing(new) is None:
            return
        if old is None or unknown_load_balancing(old) != unknown_load_balancing(new):
            self.enqueue(new)

    async def sync(self, key: str) -> None:
        service = self._services.get(key)
        said = unknown_load_balancing(service) if service is not None else None
        if service is None or said is None:
            return
        self.events.record(
            service,
            "Warning",
            "UnknownLoadBalancing",
            f'annotation {LOAD_BALANCING} is "{said}": endpoints are chosen at random; '
            f"known are {RANDOM} and {ROUND_ROBIN}",
        )
