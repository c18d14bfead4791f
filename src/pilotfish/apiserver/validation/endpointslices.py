"""Validation of EndpointSlices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import (
    Cause,
    duplicate,
    immutable,
    invalid,
    not_supported,
    required,
    too_many,
)
from pilotfish.apiserver.validation.formats import (
    PORT_RANGE,
    dns_label,
    dns_subdomain,
    family,
    qualified_name,
)
from pilotfish.apiserver.validation.services import special_address
from pilotfish.objects.meta import Object

MAX_ENDPOINTS = 1000
MAX_ADDRESSES = 100
MAX_PORTS = 20000
_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_PROTOCOLS = ("SCTP", "TCP", "UDP")


def validate(obj: Object) -> list[Cause]:
    kind = obj.get("addressType", "")
    causes: list[Cause] = []
    if not kind:
        causes.append(required("addressType"))
    elif kind not in _ADDRESS_TYPES:
        causes.append(not_supported("addressType", kind, _ADDRESS_TYPES))
    endpoints = obj.get("endpoints") or ()
    if len(endpoints) > MAX_ENDPOINTS:
        causes.append(too_many("endpoints", len(endpoints), MAX_ENDPOINTS))
    else:
        for index, endpoint in enumerate(endpoints):
            causes += _validate_endpoint(endpoint, kind, f"endpoints[{index}]")
    return causes + _validate_ports(obj.get("ports") or [])


def validate_update(new: Object, old: Object) -> list[Cause]:
    if new.get("addressType") == old.get("addressType"):
        return []
    return [immutable("addressType", new.get("addressType", ""))]


def _validate_endpoint(endpoint: Mapping[str, Any], kind: str, at: str) -> list[Cause]:
    addresses = endpoint.get("addresses") or ()
    if not addresses:
        return [required(f"{at}.addresses", "must contain at least 1 address")]
    if len(addresses) > MAX_ADDRESSES:
        return [too_many(f"{at}.addresses", len(addresses), MAX_ADDRESSES)]
    causes: list[Cause] = []
    for index, text in enumerate(addresses):
        if kind == "FQDN":
            why = dns_subdomain(text)
        elif family(text) != kind or kind not in _ADDRESS_TYPES:
            why = f"must be an {kind} address"
        else:
            why = special_address(text)
        if why:
            causes.append(invalid(f"{at}.addresses[{index}]", text, why))
    for field, check in (("hostname", dns_label), ("nodeName", dns_subdomain)):
        value = endpoint.get(field)
        why = check(value) if value else ""
        if why:
            causes.append(invalid(f"{at}.{field}", value, why))
    return causes


def _validate_ports(ports: list[dict[str, Any]]) -> list[Cause]:
    if len(ports) > MAX_PORTS:
        return [too_many("ports", len(ports), MAX_PORTS)]
    causes: list[Cause] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        at = f"ports[{index}]"
        name = port.get("name", "")
        why = dns_label(name) if name else ""
        if why:
            causes.append(invalid(f"{at}.name", name, why))
        if name in names:
            causes.append(duplicate(f"{at}.name", name))
        names.add(name)
        number = port.get("port")
        if number is not None and not 1 <= number <= 65535:
            causes.append(invalid(f"{at}.port", number, PORT_RANGE))
        if port.get("protocol") not in _PROTOCOLS:
            causes.append(not_supported(f"{at}.protocol", port.get("protocol", ""), _PROTOCOLS))
        if port.get("appProtocol"):
            why = qualified_name(port["appProtocol"])
            if why:
                causes.append(invalid(f"{at}.appProtocol", port["appProtocol"], why))
    return causes
