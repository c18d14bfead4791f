"""IPAddresses: an object for each address that a Service holds, written along with it.

https://kubernetes.io/docs/reference/networking/service-ip-range/ (KEP-1880)
"""

from __future__ import annotations

import uuid
from ipaddress import ip_address
from typing import Final

from pilotfish.apiserver.allocation.services import node_ports_of
from pilotfish.apiserver.apply.accounting import account_creation
from pilotfish.apiserver.entries import Entry
from pilotfish.apiserver.registry import Registry
from pilotfish.apiserver.store.interface import Transaction, Write
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


def port_claims(service: Object | None) -> set[str]:
    """The claims by which no two API servers give out the same node port."""
    return {f"nodeports/{port}" for port in node_ports_of(service or {})}


async def put_with_addresses(registry: Registry, new: Object, old: Object | None) -> Entry:
    """Write a Service together with the IPAddresses and ports that it gained and lost.

    Raises:
        StatusError: 500 or 503 when the store failed; Outdated when another server has written
            the Service, or given one of the addresses or ports to another.
    """
    before, after = addresses_of(old), addresses_of(new)
    writes = [
        registry.putting("services", new),
        *(registry.putting(IP_ADDRESSES, address_object(text, new)) for text in after - before),
        *_removals(registry, before - after),
    ]
    claims, claims_before = port_claims(new), port_claims(old)
    entries = await registry.write(
        Transaction(writes, claims - claims_before, claims_before - claims)
    )
    return entries[0]


async def remove_with_addresses(registry: Registry, service: Object) -> Entry:
    """Remove a Service together with its IPAddresses and ports.

    Raises:
        StatusError: as `put_with_addresses`.
    """
    writes = [
        registry.removing("services", service),
        *_removals(registry, addresses_of(service)),
    ]
    return (await registry.write(Transaction(writes, releases=port_claims(service))))[0]


def _removals(registry: Registry, addresses: set[str]) -> list[Write]:
    found = (registry.latest(IP_ADDRESSES, text) for text in addresses)
    return [registry.removing(IP_ADDRESSES, entry.decode()) for entry in found if entry is not None]
