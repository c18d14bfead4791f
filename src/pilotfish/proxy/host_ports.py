"""What a Pod's hostPorts want of the kernel's tables: the node's addresses lead to the Pod.

A Pod with hostPorts is like a NodePort Service of its node alone, with the Pod as only endpoint.
A port for one hostIP answers there only. Pods on the host's network have their ports anyway.

Source: Kubernetes API reference, ContainerPort.
"""

from __future__ import annotations

from pilotfish.objects.meta import Object
from pilotfish.objects.pods import is_terminal, pod_ips, serving_containers
from pilotfish.proxy.family import Family, family_of
from pilotfish.proxy.fronts import NOTHING, Balance, Endpoint, Front, Target, Wanted
from pilotfish.proxy.services import NodeFacts

_ANY = ("", "0.0.0.0", "::")


def has_any(pod: Object) -> bool:
    """Whether a Pod has hostPorts at all; most have none."""
    return any(
        port.get("hostPort")
        for container in serving_containers(pod)
        for port in container.get("ports") or ()
    )


def wanted(pod: Object | None, facts: NodeFacts, family: Family) -> Wanted:
    """What a Pod (None: a deleted one) of this node wants of the tables of one family."""
    if pod is None or is_terminal(pod) or pod["spec"].get("hostNetwork"):
        return NOTHING
    address = next((ip for ip in pod_ips(pod) if family_of(ip) == family), None)
    if address is None:
        return NOTHING
    fronts: dict[Front, Target] = {}
    for container in serving_containers(pod):
        for port in container.get("ports") or ():
            if not port.get("hostPort"):
                continue
            protocol = (port.get("protocol") or "TCP").lower()
            target = Balance((Endpoint(address, port["containerPort"]),))
            host_ip = port.get("hostIP") or ""
            at = facts.addresses if host_ip in _ANY else (host_ip,)
            for host_address in at:
                if family_of(host_address) == family:
                    fronts[Front(host_address, protocol, port["hostPort"])] = target
    return Wanted(fronts, frozenset({address})) if fronts else NOTHING
