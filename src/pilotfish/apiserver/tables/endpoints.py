"""The tables of Endpoints and EndpointSlices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.tables import words
from pilotfish.apiserver.tables.durations import age
from pilotfish.apiserver.tables.printer import NONE, UNSET, Cells, KindTable, columns


def _endpoints_cells(obj: Mapping[str, Any]) -> Cells:
    shown: list[str] = []
    for subset in obj.get("subsets") or ():
        addresses = [address.get("ip", "") for address in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        if ports:
            shown += [_joined(ip, port.get("port", 0)) for port in ports for ip in addresses]
        else:
            shown += addresses
    return [obj["metadata"]["name"], words.shortened(shown, NONE), age(obj)]


def _joined(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _slice_cells(obj: Mapping[str, Any]) -> Cells:
    ports = [str(port.get("port", port.get("name") or "*")) for port in obj.get("ports") or ()]
    addresses = [
        address
        for endpoint in obj.get("endpoints") or ()
        for address in endpoint.get("addresses") or ()
    ]
    return [
        obj["metadata"]["name"],
        obj.get("addressType", ""),
        words.shortened(ports, UNSET),
        words.shortened(addresses, UNSET),
        age(obj),
    ]


ENDPOINTS = KindTable(columns("Name | Endpoints | Age"), _endpoints_cells)
ENDPOINT_SLICES = KindTable(
    columns("Name | AddressType | Ports | Endpoints | Age"),
    _slice_cells,
)
