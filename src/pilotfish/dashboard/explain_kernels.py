"""Findings about the nodes' kernels: changed by somebody else, or behind what the API says. Pure.

Which endpoints a node should have is asked only where it is simple: at ClusterIPs, without policies
that keep traffic near. A node is behind when it lacks what was there `_SETTLED_S` ago; a moment's
difference is the way of all changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pilotfish.dashboard.finding import finding, some
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, annotations_of, name_of
from pilotfish.objects.times import parse_time

if TYPE_CHECKING:
    from pilotfish.dashboard.messages import Finding
    from pilotfish.dashboard.subject import Subject

_SETTLED_S = 10.0
_TOPOLOGY = ("service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints")


def findings(subject: Subject) -> Iterator[Finding]:
    """Where kernels do not hold what they should."""
    yield from _changed(subject)
    behind = _behind(subject)
    if behind:
        nodes = sorted(behind)
        yield finding(
            "error",
            f"the kernel of {some(nodes)} is behind: it lacks {some(behind[nodes[0]])}",
            f"its proxy does not hear of changes, or cannot write them: pilotfish logs {nodes[0]}",
        )


def _changed(subject: Subject) -> Iterator[Finding]:
    drifts: dict[str, list[str]] = {}
    for node, row in subject.kernel:
        if row.get("drift"):
            drifts.setdefault(f"{row['front']}: {row['drift']}", []).append(node)
    for drift, nodes in drifts.items():
        yield finding(
            "error",
            f"the kernel of {some(nodes)} differs from what its proxy wrote, at {drift}",
            f"somebody else changes the tables (a firewall?); the proxy's view: "
            f"pilotfish logs {nodes[0]}",
        )


def _behind(subject: Subject) -> dict[str, list[str]]:
    """By node, what its kernel should know for long: fronts, or names of Pods."""
    if not subject.is_proxied or _is_near(subject):
        return {}
    if not _settled(subject.service["metadata"].get("creationTimestamp"), subject.now_s):
        return {}
    found: dict[str, list[str]] = {}
    for node in subject.read_kernels:
        rows = {
            row["front"]: row
            for on, row in subject.kernel
            if on == node and not row.get("external") and not row.get("drift")
        }
        drifted = {row["front"] for on, row in subject.kernel if on == node and row.get("drift")}
        for front, endpoints in _wanted(subject).items():
            if front in drifted:
                continue
            if front not in rows:
                found.setdefault(node, []).append(front)
                continue
            held = set(rows[front]["slots"])
            lacking = [name for address, name in endpoints.items() if address not in held]
            found.setdefault(node, []).extend(lacking)
    return {node: lacking for node, lacking in found.items() if lacking}


def _wanted(subject: Subject) -> dict[str, dict[str, str]]:
    """By front, the Pods that have been ready for long: name by address and port."""
    steady = {name_of(pod) for pod in subject.pods if _is_steady(pod, subject.now_s)}
    wanted: dict[str, dict[str, str]] = {}
    for ip in subject.spec.get("clusterIPs") or [subject.spec.get("clusterIP")]:
        for port in subject.spec.get("ports") or ():
            front = f"{_address(ip, port['port'])}/{port.get('protocol') or 'TCP'}"
            name = port.get("name") or ""
            wanted[front] = {
                _address(each.ip, each.ports[name]): each.name
                for each in subject.ready
                if each.name in steady and name in each.ports and (":" in each.ip) == (":" in ip)
            }
    return wanted


def _is_near(subject: Subject) -> bool:
    """Whether traffic is kept near, so that not every node has every endpoint."""
    spec = subject.spec
    return (
        spec.get("internalTrafficPolicy") == "Local"
        or bool(spec.get("trafficDistribution"))
        or any(key in annotations_of(subject.service) for key in _TOPOLOGY)
    )


def _is_steady(pod: Object, now_s: float) -> bool:
    ready = condition(pod, "Ready") or {}
    return ready.get("status") == "True" and _settled(ready.get("lastTransitionTime"), now_s)


def _settled(since: str | None, now_s: float) -> bool:
    return since is not None and now_s - parse_time(since).timestamp() > _SETTLED_S


def _address(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
