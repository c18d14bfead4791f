"""Service kube-system/kube-dns, and this node's EndpointSlice of it.

The Service has no selector: the DNS is no Pod, so each node's DNS says itself where it is. Both
are put back when somebody deletes or changes them.
"""

from __future__ import annotations

import asyncio
import logging

from pilotfish.client.api import Client
from pilotfish.client.errors import AlreadyExists, ApiError, Conflict, NotFound, Unreachable
from pilotfish.dns.config import DnsConfig
from pilotfish.objects.meta import Object, labels_of, owner_reference

NAMESPACE = "kube-system"
SERVICE = "kube-dns"
SLICES = "endpointslices.discovery.k8s.io"

_SERVICE_LABEL = "kubernetes.io/service-name"
_MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by"
_MANAGER = "pilotfish-dns"
_FIRST_BACKOFF_S = 0.05
_MAX_BACKOFF_S = 5.0

logger = logging.getLogger(__name__)


def wanted_service(config: DnsConfig) -> Object:
    """The Service as kubeadm's clusters have it, less the selector."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": SERVICE,
            "namespace": NAMESPACE,
            "labels": {
                "k8s-app": "kube-dns",
                "kubernetes.io/cluster-service": "true",
                "kubernetes.io/name": "CoreDNS",
            },
        },
        "spec": {
            "clusterIP": config.cluster_ip,
            "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": config.port},
                {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": config.port},
            ],
        },
    }


def wanted_slice(config: DnsConfig, service: Object) -> Object:
    """This node's EndpointSlice. The Service owns it, so that it goes with the Service."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{SERVICE}-{config.node_name}",
            "namespace": NAMESPACE,
            "labels": {
                _SERVICE_LABEL: SERVICE,
                _MANAGED_BY_LABEL: _MANAGER,
                "k8s-app": "kube-dns",
            },
            "ownerReferences": [owner_reference(service)],
        },
        "addressType": "IPv6" if ":" in config.address else "IPv4",
        "endpoints": [
            {
                "addresses": [config.address],
                "conditions": {"ready": True, "serving": True, "terminating": False},
                "nodeName": config.node_name,
            }
        ],
        "ports": [
            {"name": "dns", "port": config.port, "protocol": "UDP"},
            {"name": "dns-tcp", "port": config.port, "protocol": "TCP"},
        ],
    }


def is_as_wanted(present: Object, wanted: Object) -> bool:
    """Whether a slice says what it should; defaulted fields and others' labels do not matter."""
    labels = labels_of(present)
    owners = [one.get("uid") for one in present["metadata"].get("ownerReferences") or ()]
    return (
        present.get("endpoints") == wanted["endpoints"]
        and sorted(map(_port, present.get("ports") or ())) == sorted(map(_port, wanted["ports"]))
        and all(labels.get(name) == value for name, value in labels_of(wanted).items())
        and owners == [one["uid"] for one in wanted["metadata"]["ownerReferences"]]
    )


class Registration:
    """Keeps both objects. `check` may be called whenever one of them may have changed."""

    def __init__(self, client: Client, config: DnsConfig) -> None:
        self._client = client
        self._config = config
        self._changed = asyncio.Event()

    def check(self) -> None:
        """Look again soon."""
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        backoff_s = _FIRST_BACKOFF_S
        while True:
            self._changed.clear()
            try:
                await self._ensure()
                backoff_s = _FIRST_BACKOFF_S
                await self._changed.wait()
            except (AlreadyExists, Conflict):
                # Another node was faster: what it wrote is read on the next turn.
                await asyncio.sleep(_FIRST_BACKOFF_S)
            except (ApiError, Unreachable) as error:
                logger.warning("Service %s/%s: %s; trying again", NAMESPACE, SERVICE, error)
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, _MAX_BACKOFF_S)

    async def _ensure(self) -> None:
        client = self._client
        try:
            service = await client.get("services", SERVICE, NAMESPACE)
        except NotFound:
            service = await client.create("services", wanted_service(self._config))
            logger.info("created Service %s/%s", NAMESPACE, SERVICE)
        wanted = wanted_slice(self._config, service)
        name = wanted["metadata"]["name"]
        try:
            present = await client.get(SLICES, name, NAMESPACE)
        except NotFound:
            await client.create(SLICES, wanted)
            logger.info("created EndpointSlice %s/%s", NAMESPACE, name)
            return
        if not is_as_wanted(present, wanted):
            wanted["metadata"]["resourceVersion"] = present["metadata"]["resourceVersion"]
            await client.update(SLICES, wanted)
            logger.info("put EndpointSlice %s/%s right", NAMESPACE, name)


def _port(port: Object) -> tuple[str, str, int]:
    return port.get("name", ""), port.get("protocol", "TCP"), port.get("port", 0)
