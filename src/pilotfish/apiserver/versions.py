"""Versions: one object, stored once, served under several API versions.

Event is served as v1 and events.k8s.io/v1, HorizontalPodAutoscaler as autoscaling/v2 and v1;
the first is what is stored. Versions of custom resources differ in their schemas alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson

from pilotfish.apiserver.custom import objects as custom_objects
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource

_Convert = Callable[[Object], Object]

# Fields of Event under their names in v1 and in events.k8s.io/v1.
_EVENT_FIELDS: Final = (
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
)


def to_stored(resource: Resource, obj: Object) -> Object:
    """The object in the version that is stored."""
    if isinstance(resource, CustomResource):
        return custom_objects.to_stored(resource, obj)
    convert = _CONVERSIONS.get(resource.api_version + "/" + resource.kind)
    return convert[0](obj) if convert else obj


def to_served(resource: Resource, obj: Object) -> Object:
    """A stored object in the version of a resource; it may be changed."""
    if isinstance(resource, CustomResource):
        return custom_objects.to_served(resource, obj)
    convert = _CONVERSIONS.get(resource.api_version + "/" + resource.kind)
    return convert[1](obj) if convert else obj


def from_stored(resource: Resource, data: bytes) -> bytes:
    """The JSON of a stored object in the version of a resource: nearly always itself."""
    if isinstance(resource, CustomResource):
        return orjson.dumps(custom_objects.to_served(resource, orjson.loads(data)))
    convert = _CONVERSIONS.get(resource.api_version + "/" + resource.kind)
    return orjson.dumps(convert[1](orjson.loads(data))) if convert else data


def is_converted(resource: Resource) -> bool:
    """Whether objects are served in another version than they are stored in."""
    if isinstance(resource, CustomResource):
        return True
    return resource.api_version + "/" + resource.kind in _CONVERSIONS


def _event_to_stored(obj: Object) -> Object:
    stored = {**obj, "apiVersion": "v1"}
    for core_name, name in _EVENT_FIELDS:
        if name in stored:
            stored[core_name] = stored.pop(name)
    stored.setdefault("involvedObject", {})
    stored.setdefault("source", {})
    return stored


def _event_to_served(obj: Object) -> Object:
    served = {**obj, "apiVersion": "events.k8s.io/v1"}
    for core_name, name in _EVENT_FIELDS:
        if core_name in served:
            served[name] = served.pop(core_name)
    return served


def _autoscaler_to_stored(obj: Object) -> Object:
    """autoscaling/v1 knows one metric: the CPU's average utilization."""
    spec: dict[str, Any] = {**obj.get("spec", {})}
    status: dict[str, Any] = {**obj.get("status", {})}
    target = spec.pop("targetCPUUtilizationPercentage", None)
    if target is not None:
        spec["metrics"] = [_cpu_metric("target", {"type": "Utilization"}, target)]
    current = status.pop("currentCPUUtilizationPercentage", None)
    if current is not None:
        status["currentMetrics"] = [_cpu_metric("current", {}, current)]
    return {**obj, "apiVersion": "autoscaling/v2", "spec": spec, "status": status}


def _cpu_metric(side: str, more: Object, utilization: int) -> Object:
    value = {**more, "averageUtilization": utilization}
    return {"type": "Resource", "resource": {"name": "cpu", side: value}}


def _autoscaler_to_served(obj: Object) -> Object:
    spec: dict[str, Any] = {**obj.get("spec", {})}
    status: dict[str, Any] = {**obj.get("status", {})}
    target = _cpu_utilization(spec.pop("metrics", None), "target")
    if target is not None:
        spec["targetCPUUtilizationPercentage"] = target
    current = _cpu_utilization(status.pop("currentMetrics", None), "current")
    if current is not None:
        status["currentCPUUtilizationPercentage"] = current
    spec.pop("behavior", None)
    status.pop("conditions", None)
    return {**obj, "apiVersion": "autoscaling/v1", "spec": spec, "status": status}


def _cpu_utilization(metrics: list[Object] | None, side: str) -> int | None:
    for metric in metrics or ():
        cpu = metric.get("resource") or {}
        if cpu.get("name") == "cpu":
            value: int | None = (cpu.get(side) or {}).get("averageUtilization")
            return value
    return None


_CONVERSIONS: Final[dict[str, tuple[_Convert, _Convert]]] = {
    "events.k8s.io/v1/Event": (_event_to_stored, _event_to_served),
    "autoscaling/v1/HorizontalPodAutoscaler": (_autoscaler_to_stored, _autoscaler_to_served),
}
