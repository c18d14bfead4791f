"""IPAddresses: an object for each address that a Service holds, written along with it.

https://kubernetes.io/docs/reference/networking/service-ip-range/ (KEP-1880)
"""

from __future__ import annotations

import asyncio
import uuid
from ipaddress import ip_address
from typing import Final

from pilotfish.apiserver.apply.accounting import account_creation
from pilotfish.apiserver.entries import Entry
from pilotfish.apiserver.registry import Registry
from pilotfish.objects.meta import Object, labels_of, name_of, namespace_of
from pilotfish.objects.schema import schema_for
from pilotfish.objects.times import now

IP_ADDRESSES: Final = "ipaddresses.networking.k8s.io"
_API_VERSION: Final = "networking.k8s.io/v1"
_FAMILY_LABEL: Final = "ipaddress.kubernetes.io/ip-family"
_MANAGED_BY: Final = "ipaddress.kubernetes.io/managed-by"
_ALLOCATOR: Final = "ipallocator.k8s.io"


def addresses_of(service: Object | None) -> set[str]:
    """The ClusterIPs that a Service holds."""
    spec = (service or {}).get("spec") or {}
    if spec.get("type") == "ExternalName":
        return set()
    return {text for text in spec.get("clusterIPs") or () if text != "None"}


def is_own(address: Object) -> bool:
    """Whether an IPAddress is one that this server made for a Service."""
    return labels_of(address).get(_MANAGED_BY) == _ALLOCATOR


def address_object(text: str, service: Object) -> Object:
    """The IPAddress of a Service's address."""
    parent = {
        "group": "",
        "resource": "services",
        "namespace": namespace_of(service),
        "name": name_of(service),
    }
    obj: Object = {
        "apiVersion": _API_VERSION,
        "kind": "IPAddress",
        "metadata": {
            "name": text,
            "uid": str(uuid.uuid4()),
            "creationTimestamp": now(),
            "labels": {
                _FAMILY_LABEL: f"IPv{ip_address(text).version}",
                _MANAGED_BY: _ALLOCATOR,
            },
        },
        "spec": {"parentRef": parent},
    }
    schema = schema_for(_API_VERSION, "IPAddress")
    account_creation(obj, schema, "kube-apiserver", but_status=False)
    return obj


async def put_with_addresses(registry: Registry, new: Object, old: Object | None) -> Entry:
    """Write a Service together with the IPAddresses that it gained and lost.

    Raises:
        StatusError: 500, when the store failed.
    """
    before, after = addresses_of(old), addresses_of(new)
    # The Service is queued at once, the others right after it: one commit takes them all.
    writes = [
        asyncio.create_task(registry.put(IP_ADDRESSES, address_object(text, new)))
        for text in after - before
    ]
    writes += [
        asyncio.create_task(_remove(registry, entry))
        for text in before - after
        if (entry := registry.latest(IP_ADDRESSES, text)) is not None
    ]
    entry = await registry.put("services", new)
    await asyncio.gather(*writes)
    return entry


async def remove_with_addresses(registry: Registry, service: Object) -> Entry:
    """Remove a Service together with its IPAddresses.

    Raises:
        StatusError: 500, when the store failed.
    """
    writes = [
        asyncio.create_task(_remove(registry, entry))
        for text in addresses_of(service)
        if (entry := registry.latest(IP_ADDRESSES, text)) is not None
    ]
    entry = await registry.remove("services", service)
    await asyncio.gather(*writes)
    return entry


async def _remove(registry: Registry, entry: Entry) -> Entry:
    return await registry.remove(IP_ADDRESSES, entry.decode())
