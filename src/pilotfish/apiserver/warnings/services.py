"""Warnings about Services: fields that have no effect on their type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.objects.meta import Object, annotations_of

_HINTS: Final = "service.kubernetes.io/topology-aware-hints"
_MODE: Final = "service.kubernetes.io/topology-mode"


def warnings(service: Object) -> Iterator[str]:
    if _HINTS in annotations_of(service):
        yield f"annotation {_HINTS} is deprecated, please use {_MODE} instead"
    spec = service["spec"]
    kind = spec.get("type", "ClusterIP")
    if kind == "ClusterIP" and spec.get("clusterIP") == "None":
        if spec.get("loadBalancerIP"):
            yield "spec.loadBalancerIP is ignored for headless services"
        if spec.get("externalIPs"):
            yield "spec.externalIPs is ignored for headless services"
        if spec.get("sessionAffinity", "None") != "None":
            yield "spec.SessionAffinity is ignored for headless services"
    if kind == "ExternalName":
        if spec.get("externalIPs"):
            yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    elif spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'
