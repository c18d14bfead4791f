"""The tables of limits on workloads: autoscalers, budgets, quotas, priorities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.tables.durations import age
from pilotfish.apiserver.tables.printer import UNKNOWN, UNSET, Cells, KindTable, columns


def _autoscaler_cells(obj: Mapping[str, Any]) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    target = spec.get("scaleTargetRef") or {}
    return [
        obj["metadata"]["name"],
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _targets(spec, status),
        str(spec["minReplicas"]) if "minReplicas" in spec else UNSET,
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        age(obj),
    ]


def _targets(spec: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    """`cpu: 12%/80%` for resources; other sources of metrics by the value they aim at."""
    if "targetCPUUtilizationPercentage" in spec:  # autoscaling/v1
        now = status.get("currentCPUUtilizationPercentage")
        shown = UNKNOWN if now is None else f"{now}%"
        return f"cpu: {shown}/{spec['targetCPUUtilizationPercentage']}%"
    measured = status.get("currentMetrics") or ()
    parts = []
    for index, metric in enumerate(spec.get("metrics") or ()):
        kind = metric.get("type", "")
        source = kind[:1].lower() + kind[1:]
        aim = (metric.get(source) or {}).get("target") or {}
        now = (measured[index].get(source) or {}).get("current") if index < len(measured) else None
        name = (metric.get(source) or {}).get("name")
        text = f"{_amount(now)}/{_amount(aim)}"
        parts.append(f"{name}: {text}" if name else text)
    return ", ".join(parts) or "<none>"


def _amount(value: Mapping[str, Any] | None) -> str:
    if not value:
        return UNKNOWN
    if "averageUtilization" in value:
        return f"{value['averageUtilization']}%"
    if "averageValue" in value:
        return f"{value['averageValue']} (avg)"
    return str(value.get("value", UNKNOWN))


def _budget_cells(obj: Mapping[str, Any]) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        str(spec.get("minAvailable", "N/A")),
        str(spec.get("maxUnavailable", "N/A")),
        status.get("disruptionsAllowed", 0),
        age(obj),
    ]


def _quota_cells(obj: Mapping[str, Any]) -> Cells:
    status = obj.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    requests: list[str] = []
    limits: list[str] = []
    for name in sorted(hard):
        text = f"{name}: {used.get(name, 0)}/{hard[name]}"
        (limits if name.startswith("limits") else requests).append(text)
    return [obj["metadata"]["name"], ", ".join(requests), ", ".join(limits), age(obj)]


def _priority_class_cells(obj: Mapping[str, Any]) -> Cells:
    return [
        obj["metadata"]["name"],
        obj.get("value", 0),
        bool(obj.get("globalDefault")),
        age(obj),
        obj.get("preemptionPolicy", ""),
    ]


HORIZONTAL_POD_AUTOSCALERS = KindTable(
    columns("Name | Reference | Targets | MinPods | MaxPods# | Replicas# | Age"),
    _autoscaler_cells,
)
POD_DISRUPTION_BUDGETS = KindTable(
    columns("Name | Min Available | Max Unavailable | Allowed Disruptions# | Age"), _budget_cells
)
RESOURCE_QUOTAS = KindTable(columns("Name | Request | Limit | Age"), _quota_cells)
PRIORITY_CLASSES = KindTable(
    columns("Name | Value# | Global-Default? | Age | PreemptionPolicy"), _priority_class_cells
)
