"""The scheduler's choice: which nodes can take a Pod, and which of them is best.

The reasons are Kubernetes' own words: people search for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pilotfish.controllers.affinity import (
    PodAffinity,
    TopologySpread,
    node_preference,
)
from pilotfish.controllers.node_info import NodeInfo
from pilotfish.controllers.tolerations import UNSCHEDULABLE, untolerated
from pilotfish.objects.meta import Object, controller_of
from pilotfish.objects.node_affinity import matches_node
from pilotfish.objects.pod_resources import host_ports, lacking, pod_requests, ports_clash


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen node, or why there is none."""

    node: str = ""
    message: str = ""


def choose_node(pod: Object, nodes: list[NodeInfo], namespaces: Mapping[str, Object]) -> Choice:
    """The node for a Pod.

    Args:
        pod: a Pod that has no node yet.
        nodes: all nodes with what runs on them.
        namespaces: all namespaces by name.
    """
    if not nodes:
        return Choice(message="no nodes available to schedule pods")
    affinity, spread = PodAffinity(pod, nodes, namespaces), TopologySpread(pod, nodes)
    requests = pod_requests(pod)
    refusals: Counter[str] = Counter()
    fitting: list[NodeInfo] = []
    for info in nodes:
        reasons = refusal(pod, requests, info)
        if not reasons:
            reason = spread.refusal(info) or affinity.refusal(info)
            reasons = [reason] if reason else []
        if reasons:
            refusals.update(reasons)
        else:
            fitting.append(info)
    if not fitting:
        return Choice(message=unschedulable_message(len(nodes), refusals))
    return Choice(node=min(fitting, key=lambda info: badness(pod, info)).name)


def refusal(pod: Object, requests: Counter[str], info: NodeInfo) -> list[str]:
    """Why a node cannot take the Pod, looking at nothing but that node; [] when it can."""
    node = info.node or {}
    tolerations = pod["spec"].get("tolerations") or ()
    cordon = {"key": UNSCHEDULABLE, "effect": "NoSchedule"}
    if (node.get("spec") or {}).get("unschedulable") and untolerated(
        tolerations, [cordon], ("NoSchedule",)
    ):
        return ["node(s) were unschedulable"]
    taint = untolerated(tolerations, info.taints(), ("NoSchedule", "NoExecute"))
    if taint is not None:
        return [f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"]
    if not matches_node(pod, node):
        return ["node(s) didn't match Pod's node affinity/selector"]
    if any(ports_clash(wanted, taken) for wanted in host_ports(pod) for taken in info.ports):
        return ["node(s) didn't have free ports for the requested pod ports"]
    return list(_lacking(requests, info))


def _lacking(requests: Counter[str], info: NodeInfo) -> Iterable[str]:
    for resource, _ in lacking(requests, info.requested, len(info.pods), info.allocatable()):
        yield "Too many pods" if resource == "pods" else f"Insufficient {resource}"


def badness(pod: Object, info: NodeInfo) -> tuple[int, int, int, int, float, str]:
    """Sort key of a node that fits: the least is chosen.

    What the Pod's author asked for counts first; then replicas of one owner are
    kept apart; then the node with fewer Pods and less of its resources taken.
    """
    tolerations = pod["spec"].get("tolerations") or ()
    soft = sum(
        untolerated(tolerations, [taint], ("PreferNoSchedule",)) is not None
        for taint in info.taints()
    )
    owner = controller_of(pod)
    siblings = info.owners[owner["uid"]] if owner else 0
    have = info.allocatable()
    load = max(
        (info.requested[name] / have[name] for name in ("cpu", "memory") if have.get(name)),
        default=0.0,
    )
    preference = node_preference(pod, info.node or {})
    return soft, -preference, siblings, len(info.pods), load, info.name


def unschedulable_message(total: int, refusals: Counter[str]) -> str:
    """Why no node did, as `kubectl describe pod` shows it."""
    reasons = ", ".join(sorted(f"{count} {reason}" for reason, count in refusals.items()))
    return f"0/{total} nodes are available: {reasons}."
