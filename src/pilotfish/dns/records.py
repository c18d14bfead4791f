"""Which records a Service and its EndpointSlices have in the DNS. Pure.

Source: the Kubernetes DNS-Based Service Discovery specification 1.1.0
(github.com/kubernetes/dns/blob/master/docs/specification.md), and for what it leaves open
(weights, names of Pods without a hostname, SRV of a whole Service) what CoreDNS' kubernetes
plugin answers.
"""

from __future__ import annotations

import ipaddress
import logging
import struct
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pilotfish.dns import wire
from pilotfish.objects.meta import Object, key_of, name_of, namespace_of

SCHEMA_VERSION = "1.1.0"

logger = logging.getLogger(__name__)


class Data(NamedTuple):
    """A record's data, and the name whose addresses go along with it (SRV), if any."""

    data: bytes
    target: bytes = b""


# What one source says: per `record_key`, the records' data.
Records = dict[bytes, tuple[Data, ...]]

EXISTS = 0  # a record type that nobody can ask for: the name is there, without records


def record_key(owner: bytes, kind: int) -> bytes:
    """The owner (lower case, wire form), type and class IN: a question's own bytes."""
    return owner + struct.pack("!HH", kind, wire.IN)


class _Builder:
    """Records under way; the same data is kept once."""

    def __init__(self) -> None:
        self._sets: dict[bytes, dict[Data, None]] = {}

    def add(self, owner: bytes, kind: int, data: Data) -> None:
        self._sets.setdefault(record_key(owner, kind), {})[data] = None

    def add_address(self, owner: bytes, address: str) -> None:
        kind, data = wire.address_data(address)
        self.add(owner, kind, Data(data))

    def records(self) -> Records:
        return {key: tuple(found) for key, found in self._sets.items()}


def service_records(service: Object, slices: Iterable[Object], domain: str) -> Records:
    """Everything that one Service has in the DNS, its reverse names included."""
    spec: Mapping[str, Any] = service.get("spec") or {}
    try:
        owner = wire.encode_name(f"{name_of(service)}.{namespace_of(service)}.svc.{domain}")
        if spec.get("type") == "ExternalName":
            target = wire.encode_name(spec.get("externalName") or "")
            return {record_key(owner, wire.CNAME): (Data(target),)}
        if is_headless(service):
            return _headless(owner, spec, slices)
        return _cluster_ips(owner, spec)
    except (ValueError, OSError) as error:
        logger.warning("Service %s gets no DNS records: %s", key_of(service), error)
        return {}


def is_headless(service: Object) -> bool:
    """Whether the Service's names lead to its endpoints themselves."""
    spec = service.get("spec") or {}
    return spec.get("clusterIP") == "None" and spec.get("type") != "ExternalName"


def namespace_records(namespace: str, domain: str) -> Records:
    """A namespace has no records, but its names exist: NODATA, not NXDOMAIN."""
    return {
        record_key(wire.encode_name(f"{namespace}.{part}.{domain}"), EXISTS): ()
        for part in ("svc", "pod")
    }


def tree_records(domain: str) -> Records:
    """The names under which all Services and all Pods are."""
    return {record_key(wire.encode_name(f"{part}.{domain}"), EXISTS): () for part in ("svc", "pod")}


def zone_records(origin: str, name_server: str, name_server_ips: Iterable[str]) -> Records:
    """What every zone has at its top: SOA and NS."""
    builder = _Builder()
    owner = wire.encode_name(origin)
    target = wire.encode_name(name_server)
    builder.add(owner, wire.SOA, Data(soa_data(origin, name_server)))
    builder.add(owner, wire.NS, Data(target, target))
    for address in name_server_ips:
        builder.add_address(target, address)
    return builder.records()


def schema_records(domain: str) -> Records:
    """The version of the schema (specification, section 2.2)."""
    owner = wire.encode_name(f"dns-version.{domain}")
    text = SCHEMA_VERSION.encode()
    return {record_key(owner, wire.TXT): (Data(bytes((len(text),)) + text),)}


def soa_data(origin: str, name_server: str, minimum_s: int = 5) -> bytes:
    """An SOA whose last field bounds how long a negative answer is kept (RFC 2308 section 4)."""
    mailbox = wire.encode_name(f"hostmaster.{origin}")
    # Nobody transfers the zone, so the serial number and the intervals are for show.
    numbers = struct.pack("!IIIII", 1, 7200, 1800, 86400, minimum_s)
    return wire.encode_name(name_server) + mailbox + numbers


def reverse_origins(prefix: str) -> list[str]:
    """The reverse zones that make up a range: "10.96.0.0/12" is 16 zones "96.10.in-addr.arpa" …"""
    network = ipaddress.ip_network(prefix)
    bits = 8 if network.version == 4 else 4
    # A zone ends at a whole label, and the last label is an address, no zone.
    length = min(-(-network.prefixlen // bits) * bits, network.max_prefixlen - bits)
    if network.prefixlen > length:
        network = network.supernet(new_prefix=length)
    drop = (network.max_prefixlen - length) // bits
    return [
        ".".join(subnet[0].reverse_pointer.split(".")[drop:])
        for subnet in network.subnets(new_prefix=length)
    ]


def _cluster_ips(owner: bytes, spec: Mapping[str, Any]) -> Records:
    builder = _Builder()
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP") or ""]
    for address in addresses:
        if not address:
            continue  # not allocated yet
        builder.add_address(owner, address)
        builder.add(wire.reverse_name(address), wire.PTR, Data(owner))
    if any(addresses):
        for port in spec.get("ports") or ():
            data = Data(_srv_data(100, int(port["port"]), owner), owner)
            builder.add(owner, wire.SRV, data)
            if port.get("name"):
                builder.add(_port_name(port, owner), wire.SRV, data)
    return builder.records()


def _headless(owner: bytes, spec: Mapping[str, Any], slices: Iterable[Object]) -> Records:
    """Without a ready endpoint there is not even the Service's name (section 2.4.1)."""
    builder = _Builder()
    everything = bool(spec.get("publishNotReadyAddresses"))
    ready = [
        (endpoint, one.get("ports") or ())
        for one in slices
        if one.get("addressType") in ("IPv4", "IPv6")
        for endpoint in one.get("endpoints") or ()
        # "unknown" counts as ready (API reference, EndpointConditions).
        if everything or (endpoint.get("conditions") or {}).get("ready") is not False
    ]
    weight = max(100 // len(ready), 1) if ready else 0
    for endpoint, ports in ready:
        for address in endpoint.get("addresses") or ():
            label = endpoint.get("hostname") or _dashed(address)
            target = wire.encode_name(label.lower())[:-1] + owner
            builder.add_address(owner, address)
            builder.add_address(target, address)
            builder.add(wire.reverse_name(address), wire.PTR, Data(target))
            for port in ports:
                if not port.get("port"):
                    continue  # "all ports" has no number
                data = Data(_srv_data(weight, int(port["port"]), target), target)
                builder.add(owner, wire.SRV, data)
                if port.get("name"):
                    builder.add(_port_name(port, owner), wire.SRV, data)
    return builder.records()


def _dashed(address: str) -> str:
    return address.replace(".", "-").replace(":", "-")


def _port_name(port: Mapping[str, Any], owner: bytes) -> bytes:
    protocol = port.get("protocol") or "TCP"
    return wire.encode_name(f"_{port['name']}._{protocol}".lower())[:-1] + owner


def _srv_data(weight: int, port: int, target: bytes) -> bytes:
    return struct.pack("!HHH", 0, weight, port) + target
