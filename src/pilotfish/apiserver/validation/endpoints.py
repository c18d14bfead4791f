"""Validation of Endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import Cause, invalid, not_supported, required
from pilotfish.apiserver.validation.formats import (
    BAD_ADDRESS,
    dns_label,
    dns_subdomain,
    family,
    port_number,
    qualified_name,
)
from pilotfish.apiserver.validation.services import special_address
from pilotfish.objects.meta import Object

_PROTOCOLS = ("SCTP", "TCP", "UDP")


def validate(obj: Object) -> list[Cause]:
    causes: list[Cause] = []
    for index, subset in enumerate(obj.get("subsets") or ()):
        at = f"subsets[{index}]"
        ready, unready = subset.get("addresses") or (), subset.get("notReadyAddresses") or ()
        if not ready and not unready:
            causes.append(required(at, "must specify `addresses` or `notReadyAddresses`"))
        for field, addresses in (("addresses", ready), ("notReadyAddresses", unready)):
            for place, address in enumerate(addresses):
                causes += _validate_address(address, f"{at}.{field}[{place}]")
        ports = subset.get("ports") or ()
        for place, port in enumerate(ports):
            causes += _validate_port(port, len(ports) > 1, f"{at}.ports[{place}]")
    return causes


def _validate_address(address: Mapping[str, Any], at: str) -> list[Cause]:
    causes: list[Cause] = []
    ip = address.get("ip", "")
    why = special_address(ip) if family(ip) else BAD_ADDRESS
    if why:
        causes.append(invalid(f"{at}.ip", ip, why))
    for field, check in (("hostname", dns_label), ("nodeName", dns_subdomain)):
        value = address.get(field)
        why = check(value) if value else ""
        if why:
            causes.append(invalid(f"{at}.{field}", value, why))
    return causes


def _validate_port(port: Mapping[str, Any], name_is_required: bool, at: str) -> list[Cause]:
    causes: list[Cause] = []
    name = port.get("name", "")
    if name:
        why = dns_label(name)
        if why:
            causes.append(invalid(f"{at}.name", name, why))
    elif name_is_required:
        causes.append(required(f"{at}.name"))
    why = port_number(port.get("port", 0))
    if why:
        causes.append(invalid(f"{at}.port", port.get("port", 0), why))
    if port.get("protocol") not in _PROTOCOLS:
        causes.append(not_supported(f"{at}.protocol", port.get("protocol", ""), _PROTOCOLS))
    if port.get("appProtocol"):
        why = qualified_name(port["appProtocol"])
        if why:
            causes.append(invalid(f"{at}.appProtocol", port["appProtocol"], why))
    return causes
