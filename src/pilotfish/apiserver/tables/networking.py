"""The tables of networking.k8s.io: Ingresses, policies, ranges and addresses of Services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.tables import words
from pilotfish.apiserver.tables.durations import age
from pilotfish.apiserver.tables.printer import NONE, Cells, KindTable, columns


def _ingress_cells(obj: Mapping[str, Any]) -> Cells:
    spec = obj.get("spec") or {}
    balancer = (obj.get("status") or {}).get("loadBalancer") or {}
    addresses = (
        entry.get("ip") or entry.get("hostname") for entry in balancer.get("ingress") or ()
    )
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    return [
        obj["metadata"]["name"],
        spec.get("ingressClassName") or NONE,
        words.shortened(hosts, "*"),
        ",".join(filter(None, addresses)),
        "80, 443" if spec.get("tls") else "80",
        age(obj),
    ]


def _ingress_class_cells(obj: Mapping[str, Any]) -> Cells:
    spec = obj.get("spec") or {}
    parameters = spec.get("parameters")
    shown = NONE
    if parameters:
        kind = parameters.get("kind", "")
        if parameters.get("apiGroup"):
            kind = f"{kind}.{parameters['apiGroup']}"
        shown = f"{kind}/{parameters.get('name', '')}"
    return [obj["metadata"]["name"], spec.get("controller", ""), shown, age(obj)]


def _network_policy_cells(obj: Mapping[str, Any]) -> Cells:
    chosen = words.selector((obj.get("spec") or {}).get("podSelector"))
    return [obj["metadata"]["name"], chosen, age(obj)]


def _service_cidr_cells(obj: Mapping[str, Any]) -> Cells:
    cidrs = ",".join((obj.get("spec") or {}).get("cidrs") or ())
    return [obj["metadata"]["name"], cidrs, age(obj)]


def _ip_address_cells(obj: Mapping[str, Any]) -> Cells:
    parent = (obj.get("spec") or {}).get("parentRef") or {}
    resource = parent.get("resource", "")
    if parent.get("group"):
        resource = f"{resource}.{parent['group']}"
    parts = (resource, parent.get("namespace"), parent.get("name"))
    return [obj["metadata"]["name"], "/".join(filter(None, parts)), age(obj)]


INGRESSES = KindTable(columns("Name | Class | Hosts | Address | Ports | Age"), _ingress_cells)
INGRESS_CLASSES = KindTable(columns("Name | Controller | Parameters | Age"), _ingress_class_cells)
NETWORK_POLICIES = KindTable(columns("Name | Pod-Selector | Age"), _network_policy_cells)
SERVICE_CIDRS = KindTable(columns("Name | CIDRs | Age"), _service_cidr_cells)
IP_ADDRESSES = KindTable(columns("Name | ParentRef | Age"), _ip_address_cells)
