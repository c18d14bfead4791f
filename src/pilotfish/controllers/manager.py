"""The controller manager: every controller over one set of informers.

A controller that fails is logged and started again with back-off; the others
go on.
"""

from __future__ import annotations

import asyncio
import logging
import time

from pilotfish.client.api import Client
from pilotfish.client.log_fields import log_fields
from pilotfish.controllers.config import ControllerConfig
from pilotfish.controllers.controller import Context, Controller
from pilotfish.controllers.cronjob import CronJobController
from pilotfish.controllers.daemonset import DaemonSetController
from pilotfish.controllers.deployment import DeploymentController
from pilotfish.controllers.disruption import DisruptionController
from pilotfish.controllers.endpoints import EndpointsController
from pilotfish.controllers.endpointslice import EndpointSliceController
from pilotfish.controllers.endpointslice_mirroring import EndpointSliceMirroringController
from pilotfish.controllers.garbage_collector import GarbageCollector
from pilotfish.controllers.informers import Informers
from pilotfish.controllers.job import JobController
from pilotfish.controllers.load_balancer import LoadBalancerController
from pilotfish.controllers.load_balancing import LoadBalancingController
from pilotfish.controllers.namespace import NamespaceController
from pilotfish.controllers.node_ipam import NodeIpamController
from pilotfish.controllers.node_lifecycle import NodeLifecycleController
from pilotfish.controllers.replicaset import ReplicaSetController, ReplicationControllerController
from pilotfish.controllers.scheduler import Scheduler
from pilotfish.controllers.serviceaccount import ServiceAccountController
from pilotfish.controllers.statefulset import StatefulSetController
from pilotfish.controllers.token_secrets import TokenSecretController

log = logging.getLogger(__name__)

_FIRST_BACKOFF_S = 0.1
_MAX_BACKOFF_S = 30.0
# A controller that ran this long is thought well again: its back-off starts anew.
_WELL_AFTER_S = 60.0

# The EndpointSlice controller is first: it hears of a change before the others do.
CONTROLLERS: tuple[type[Controller], ...] = (
    EndpointSliceController,
    Scheduler,
    ReplicaSetController,
    ReplicationControllerController,
    DeploymentController,
    DaemonSetController,
    StatefulSetController,
    JobController,
    CronJobController,
    DisruptionController,
    EndpointsController,
    EndpointSliceMirroringController,
    LoadBalancerController,
    LoadBalancingController,
    NodeIpamController,
    NodeLifecycleController,
    ServiceAccountController,
    TokenSecretController,
    NamespaceController,
    GarbageCollector,
)


class ControllerManager:
    """Runs all controllers, the scheduler among them."""

    def __init__(self, client: Client, config: ControllerConfig) -> None:
        self._client = client
        self._config = config

    async def run(self) -> None:
        """Run until cancelled."""
        informers = Informers(self._client)
        async with Client(self._client.config) as urgent, asyncio.TaskGroup() as group:
            context = Context(self._client, urgent, informers, self._config)
            controllers = [make(context) for make in CONTROLLERS]
            group.create_task(informers.run(), name="informers")
            for controller in controllers:
                group.create_task(_keep_running(controller), name=controller.name)


async def _keep_running(controller: Controller) -> None:
    backoff_s = _FIRST_BACKOFF_S
    while True:
        started = time.monotonic()
        try:
            with log_fields(controller=controller.name):
                await controller.run()
            return
        except Exception:
            if time.monotonic() - started > _WELL_AFTER_S:
                backoff_s = _FIRST_BACKOFF_S
            log.exception("%s failed; it starts again in %g s", controller.name, backoff_s)
        await asyncio.sleep(backoff_s)
        backoff_s = min(backoff_s * 2, _MAX_BACKOFF_S)
