"""The table of Services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.tables import words
from pilotfish.apiserver.tables.durations import age
from pilotfish.apiserver.tables.printer import NONE, Cells, KindTable, columns


def _cells(service: Mapping[str, Any]) -> Cells:
    spec = service.get("spec") or {}
    return [
        service["metadata"]["name"],
        spec.get("type", ""),
        spec.get("clusterIP") or NONE,
        _external_ip(service, spec),
        _ports(spec),
        age(service),
        words.labels(spec.get("selector")),
    ]


def _external_ip(service: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    if spec.get("type") == "ExternalName":
        return spec.get("externalName") or NONE
    chosen: list[str] = list(spec.get("externalIPs") or ())
    if spec.get("type") != "LoadBalancer":
        return ",".join(chosen) or NONE
    balancer = (service.get("status") or {}).get("loadBalancer") or {}
    ingress = balancer.get("ingress") or ()
    given = [entry.get("ip") or entry.get("hostname") or "" for entry in ingress]
    return ",".join([*filter(None, given), *chosen]) or "<pending>"


def _ports(spec: Mapping[str, Any]) -> str:
    return ",".join(_port(port) for port in spec.get("ports") or ()) or NONE


def _port(port: Mapping[str, Any]) -> str:
    number, protocol = port.get("port", 0), port.get("protocol", "TCP")
    if port.get("nodePort"):
        return f"{number}:{port['nodePort']}/{protocol}"
    return f"{number}/{protocol}"


SERVICES = KindTable(
    columns("Name | Type | Cluster-IP | External-IP | Port(s) | Age | Selector+"), _cells
)
