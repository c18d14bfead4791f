"""Tells the API server that this node is there: the Node, its status, its Lease; keeps telling.

https://kubernetes.io/docs/reference/node/node-status/#heartbeats
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from pilotfish.client.api import Client
from pilotfish.client.errors import AlreadyExists, ApiError, NotFound, Unreachable
from pilotfish.node.config import KubeletConfig
from pilotfish.node.node_object import Machine, lease, node_labels, node_object, node_status
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, name_of, uid_of
from pilotfish.objects.times import now_micro

log = logging.getLogger(__name__)

LEASE_DURATION_S = 40
_RETRY_S = 0.2
# Leases are the heartbeat; the status is written anew only now and then.
_STATUS_EVERY_BEATS = 30
_LEASES = "leases.coordination.k8s.io"


class Registration:
    def __init__(self, client: Client, config: KubeletConfig, machine: Machine) -> None:
        self._client = client
        self._config = config
        self._machine = machine
        self.registered = asyncio.Event()
        self._doubted = asyncio.Event()

    def observe(self, _old: Object | None, new: Object | None) -> None:
        """A Node has changed: if it is ours and counts as lost, its status is due now."""
        if new is None or name_of(new) != self._config.node_name:
            return
        ready = condition(new, "Ready")
        if ready is not None and ready["status"] == "Unknown":
            self._doubted.set()

    async def run(self) -> None:
        """Register, then beat; trouble is logged and tried again."""
        beats = 0
        while True:
            try:
                if beats % _STATUS_EVERY_BEATS == 0 or self._doubted.is_set():
                    self._doubted.clear()
                    node = await self._register()
                    self.registered.set()
                await self._renew_lease(node)
            except NotFound as error:
                log.warning("node %s: %s; registering again", self._config.node_name, error)
                beats = 0
                await asyncio.sleep(_RETRY_S)
                continue
            except (ApiError, Unreachable) as error:
                log.warning("node %s: heartbeat failed: %s", self._config.node_name, error)
                await asyncio.sleep(_RETRY_S if beats == 0 else self._config.heartbeat_s / 4)
                continue
            beats += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._config.heartbeat_s):
                    await self._doubted.wait()

    async def _register(self) -> Object:
        """Make or update the Node, and write its status; returns it."""
        name = self._config.node_name
        try:
            node = await self._client.create("nodes", node_object(self._config))
            log.info("node %s is registered", name)
        except AlreadyExists:
            labels = {"metadata": {"labels": node_labels(self._config)}}
            node = await self._client.patch("nodes", name, labels)
        previous = (node.get("status") or {}).get("conditions") or []
        status = {"status": node_status(self._config, self._machine, previous)}
        return await self._client.patch("nodes", name, status, subresource="status")

    async def _renew_lease(self, node: Object) -> None:
        wanted = lease(self._config, uid_of(node), LEASE_DURATION_S, now_micro())
        name, namespace = wanted["metadata"]["name"], wanted["metadata"]["namespace"]
        try:
            await self._client.patch(_LEASES, name, wanted, namespace)
        except NotFound:
            try:
                await self._client.create(_LEASES, wanted)
            except NotFound as error:
                # The namespace of leases is made by the control plane, maybe a moment later.
                log.info("no lease yet: %s", error)
