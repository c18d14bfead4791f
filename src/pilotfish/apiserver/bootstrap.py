"""Bootstrap: what every cluster has from its first moment on."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial

from pilotfish.apiserver.allocation.cidrs import SERVICE_CIDRS
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.creating import create_object
from pilotfish.apiserver.errors import StatusError
from pilotfish.apiserver.updating import replace
from pilotfish.objects.meta import Object, key_of
from pilotfish.objects.resources import resource

log = logging.getLogger(__name__)

_SYSTEM = "kube-system"
_NAMESPACES = ("default", _SYSTEM, "kube-public", "kube-node-lease")
# Under which name the server owns the fields of its own objects.
_MANAGER = "kube-apiserver"
# kube-apiserver looks after Service `kubernetes` as often.
_PERIOD_S = 10.0
_PRIORITY_CLASSES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}


async def bootstrap(core: Core) -> None:
    """Create the system's namespaces and priority classes, and keep Service `kubernetes` right.

    Raises:
        StatusError: when one of them cannot be written.
    """
    namespaces: list[tuple[str, Object]] = [
        ("namespaces", {"metadata": {"name": name}})
        for name in _NAMESPACES
        if core.registry.latest("namespaces", name) is None
    ]
    # What is in them can only follow: several servers may be at it.
    await _put_all(core, namespaces)
    wanted: list[tuple[str, Object]] = [
        ("priorityclasses.scheduling.k8s.io", {"metadata": {"name": name}, "value": value})
        for name, value in _PRIORITY_CLASSES.items()
    ]
    if core.registry.latest(SERVICE_CIDRS, "kubernetes") is None:
        ranges = (core.config.service_cidr, core.config.second_service_cidr)
        spec = {"cidrs": [cidr for cidr in ranges if cidr]}
        wanted.append((SERVICE_CIDRS, {"metadata": {"name": "kubernetes"}, "spec": spec}))
    await _put_all(core, [*wanted, *_kubernetes_service(core), *_config_maps(core)])


async def _put_all(core: Core, objects: list[tuple[str, Object]]) -> None:
    """Write objects at once: one commit may take them all."""
    await asyncio.gather(
        *(core.registry.attempt(partial(_put, core, name, obj)) for name, obj in objects)
    )


async def keep(core: Core) -> None:
    """Bring back what somebody took away, until cancelled."""
    while True:
        await asyncio.sleep(_PERIOD_S)
        try:
            await bootstrap(core)
        except StatusError as error:
            log.warning("the system's objects could not be kept: %s", error)


async def _put(core: Core, resource_name: str, wanted: Object) -> None:
    """Create an object, or give an existing one the wanted fields."""
    kind = resource(resource_name)
    obj = {"apiVersion": kind.api_version, "kind": kind.kind, **deepcopy(wanted)}
    if core.registry.latest(resource_name, key_of(obj)) is None:
        if kind.kind == "Namespace":
            obj["spec"] = {}
        await create_object(core, kind, obj, manager=_MANAGER)
        log.info("created %s %s", kind.kind, key_of(obj))
        return

    def change(current: Object) -> Object:
        fields = {key: value for key, value in wanted.items() if key not in ("metadata", "spec")}
        return {**current, **fields}

    await replace(core, kind, key_of(obj), change, manager=_MANAGER)


def _config_maps(core: Core) -> list[tuple[str, Object]]:
    """The ConfigMaps that other components look for in kube-system.

    By whose authority clients' certificates are known, for API servers that trust this one's; and
    since when tokens in Secrets are accounted for.
    """
    data = {
        "extension-apiserver-authentication": {
            "client-ca-file": core.config.client_ca_file.read_text()
        },
        "kube-apiserver-legacy-service-account-token-tracking": {
            "since": datetime.now(UTC).date().isoformat()
        },
    }
    return [
        ("configmaps", {"metadata": {"namespace": _SYSTEM, "name": name}, "data": found})
        for name, found in data.items()
        if core.registry.latest("configmaps", f"{_SYSTEM}/{name}") is None
    ]


def _kubernetes_service(core: Core) -> list[tuple[str, Object]]:
    """Service default/kubernetes, which is this server, with both kinds of endpoints.

    As kube-apiserver's own controller writes them: no selector, endpoints by hand, a slice
    that the endpoint slice mirroring leaves alone.
    """
    config = core.config
    network = ipaddress.ip_network(config.service_cidr)
    metadata: Object = {"name": "kubernetes", "namespace": "default"}
    port: Object = {"name": "https", "protocol": "TCP", "port": config.advertise_port}
    service: Object = {
        "metadata": {
            **metadata,
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": str(network[1]),
            "clusterIPs": [str(network[1])],
            "ports": [
                {
                    "name": "https",
                    "protocol": "TCP",
                    "port": 443,
                    "targetPort": config.advertise_port,
                }
            ],
        },
    }
    endpoints: Object = {
        "metadata": {
            **metadata,
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [{"addresses": [{"ip": config.advertise_address}], "ports": [port]}],
    }
    address = ipaddress.ip_address(config.advertise_address)
    endpoint_slice: Object = {
        "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": f"IPv{address.version}",
        "endpoints": [{"addresses": [config.advertise_address], "conditions": {"ready": True}}],
        "ports": [port],
    }
    return [
        ("services", service),
        ("endpoints", endpoints),
        ("endpointslices.discovery.k8s.io", endpoint_slice),
    ]
