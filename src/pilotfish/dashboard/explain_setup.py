"""Findings of the objects alone: selector, ports, readiness, addresses, policies. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pilotfish.dashboard.finding import MOST_NAMED, finding, some
from pilotfish.dashboard.near import near_pod, nearest
from pilotfish.objects.meta import Object, name_of, namespace_of
from pilotfish.objects.pods import serving_containers, target_port

if TYPE_CHECKING:
    from pilotfish.dashboard.messages import Finding
    from pilotfish.dashboard.subject import Serving, Subject


def findings(subject: Subject) -> Iterator[Finding]:
    """Everything that the objects say."""
    if subject.type == "ExternalName":
        yield finding(
            "note",
            f"its name is an alias of {subject.spec.get('externalName')}: it has no address, "
            "no endpoints, and nothing in the kernel",
        )
        return
    if subject.is_headless:
        yield finding(
            "note",
            "headless: its name leads straight to the addresses of the Pods, past the kernel's "
            "tables, and each client chooses for itself",
        )
    elif not subject.is_proxied:
        yield finding("note", "it names another proxy, so the kernels hold nothing of it")
    yield from _endpoints(subject)
    yield from _ports(subject)
    yield from _addresses(subject)
    yield from _policies(subject)


# --- endpoints -------------------------------------------------------------------------------


def _endpoints(subject: Subject) -> Iterator[Finding]:
    if not subject.selector:
        if not subject.present:
            yield finding(
                "error",
                "it has no selector, and nobody has given it endpoints",
                "give it a selector, or create an EndpointSlice with the label "
                f"kubernetes.io/service-name: {subject.name}",
            )
        return
    if not subject.pods:
        yield _no_pod(subject)
        return
    unready = [each for each in subject.present if not each.ready]
    if not subject.ready:
        count = len(subject.pods)
        pods = "1 Pod matches" if count == 1 else f"{count} Pods match"
        yield finding(
            "error",
            f"{pods} the selector, and none is ready: {_reasons(unready)}",
            _first_mend(unready),
        )
    elif leaving := [each for each in unready if not each.terminating]:
        are = "is" if len(leaving) == 1 else "are"
        yield finding(
            "warning",
            f"{len(leaving)} of {len(subject.present)} endpoints {are} not ready: "
            f"{_reasons(leaving)}",
            _first_mend(leaving),
        )
    if subject.spec.get("publishNotReadyAddresses"):
        yield finding("note", "Pods get connections before they are ready: so its spec says")


def _no_pod(subject: Subject) -> Finding:
    selector = ",".join(f"{key}={value}" for key, value in subject.selector.items())
    what = f"the selector {selector} matches no Pod in namespace {subject.namespace}"
    edit = f"kubectl edit service {subject.name} -n {subject.namespace}"
    near = near_pod(subject.selector, subject.neighbours)
    if near is not None and near.instead_of_key:
        what += f"; Pod {near.pod} has {near.instead_of_key}={near.wanted}"
        return finding("error", what, f"select {near.instead_of_key}={near.wanted}: {edit}")
    if near is not None and near.has:
        what += f"; Pod {near.pod} has {near.key}={near.has}"
        return finding("error", what, f"select {near.key}={near.has}: {edit}")
    if near is not None:
        what += f"; Pod {near.pod} lacks only the label {near.key}"
        mend = f"label the Pod's template {near.key}={near.wanted}, or select without it: {edit}"
        return finding("error", what, mend)
    if subject.strangers:
        place = namespace_of(subject.strangers[0])
        what += f"; Pod {name_of(subject.strangers[0])} of namespace {place} would match"
        return finding(
            "error",
            what,
            f"a Service selects Pods of its own namespace only: create it in {place}",
        )
    labels = f"kubectl get pods -n {subject.namespace} --show-labels"
    if not subject.neighbours:
        return finding("error", f"{what}: there are no Pods", "create them, in this namespace")
    return finding("error", what, f"compare with the labels there are: {labels}")


def _reasons(unready: list[Serving]) -> str:
    """Each reason with its Pods, the most common first."""
    pods: dict[str, list[str]] = {}
    for each in unready:
        pods.setdefault(each.why.what if each.why else "not ready", []).append(each.name)
    told = []
    for reason, names in sorted(pods.items(), key=lambda item: -len(item[1]))[:MOST_NAMED]:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        told.append(f"{names[0]}{more}: {reason}")
    return "; ".join(told)


def _first_mend(unready: list[Serving]) -> str:
    return next((each.why.mend for each in unready if each.why and each.why.mend), "")


# --- ports -----------------------------------------------------------------------------------


def _ports(subject: Subject) -> Iterator[Finding]:
    if not subject.pods:
        return
    for port in subject.spec.get("ports") or ():
        target = port.get("targetPort") or port["port"]
        if isinstance(target, str):
            lacking = [pod for pod in subject.pods if target_port(port, pod) is None]
            if lacking:
                yield _named_port_missing(subject, port, target, lacking)
            continue
        protocol = port.get("protocol") or "TCP"
        declared = declared_ports(subject.pods, protocol)
        if declared and target not in declared and not _was_asked(subject, target):
            yield finding(
                "warning",
                f"port {port['port']} leads to port {target} of the Pods, which declare "
                f"{port_list(declared)}",
                f"if nothing listens at {target}, set targetPort to a port that the Pods listen "
                f"at: kubectl edit service {subject.name} -n {subject.namespace}",
            )


def _named_port_missing(
    subject: Subject, port: Object, target: str, lacking: list[Object]
) -> Finding:
    protocol = port.get("protocol") or "TCP"
    declared = declared_ports(lacking, protocol)
    names = [name for name in declared.values() if name]
    others = [
        name for each in ("TCP", "UDP", "SCTP") if each != protocol
        for name in declared_ports(lacking, each).values()
    ]  # fmt: skip
    every = "no Pod declares" if len(lacking) == len(subject.pods) else "not every Pod declares"
    what = f"port {port['port']} leads to the container port named {target!r}, which {every}"
    if target in others:
        what += f" with protocol {protocol}"
    meant = nearest(target, names) or (names[0] if len(names) == 1 else "")
    if meant:
        mend = f"they declare {meant!r}: set targetPort: {meant}"
    elif declared:
        numbers = ", ".join(map(str, sorted(declared)))
        mend = f"they declare {numbers} without that name: name it, or write the number"
    else:
        mend = f"give a container's port the name {target!r}, or write a number as targetPort"
    return finding("error", what, mend)


def declared_ports(pods: Iterable[Object], protocol: str) -> dict[int, str]:
    """The container ports that Pods declare, with their names or ""."""
    found: dict[int, str] = {}
    for pod in pods:
        for container in serving_containers(pod):
            for port in container.get("ports") or ():
                if (port.get("protocol") or "TCP") == protocol:
                    found.setdefault(port["containerPort"], port.get("name") or "")
    return found


def port_list(declared: Mapping[int, str]) -> str:
    """Ports for people: "8080 (http), 9090"."""
    shown = [f"{number} ({name})" if name else str(number) for number, name in declared.items()]
    return ", ".join(sorted(shown))


def _was_asked(subject: Subject, target: int) -> bool:
    """Whether traffic shows, one way or the other, if somebody listens there."""
    asked = any(target in each.ports.values() and each.tally.requests for each in subject.serving)
    return asked or "refused" in subject.tally.statuses


# --- addresses, policies ---------------------------------------------------------------------


def _addresses(subject: Subject) -> Iterator[Finding]:
    if subject.type != "LoadBalancer":
        return
    status = (subject.service.get("status") or {}).get("loadBalancer") or {}
    if not status.get("ingress"):
        yield finding(
            "warning",
            "it still waits for its LoadBalancer address",
            f"the reason is among the Events: kubectl describe service {subject.name} "
            f"-n {subject.namespace}; its ClusterIP and NodePorts work meanwhile",
        )


def _policies(subject: Subject) -> Iterator[Finding]:
    if not subject.is_proxied or not subject.ready:
        return
    here = {each.node for each in subject.ready}
    without = [node for node in subject.nodes if node not in here]
    if not without:
        return
    places = some(without)
    if subject.spec.get("internalTrafficPolicy") == "Local":
        yield finding(
            "warning",
            f"internalTrafficPolicy is Local, and {places} has no ready endpoint: Pods there "
            "are refused",
            "run a Pod on every node (a DaemonSet), or set internalTrafficPolicy: Cluster",
        )
    if subject.type in ("NodePort", "LoadBalancer") and (
        subject.spec.get("externalTrafficPolicy") == "Local"
    ):
        yield finding(
            "note",
            f"externalTrafficPolicy is Local, and {places} has no ready endpoint: clients from "
            "outside get no answer there",
            "ask a node that has one, or set externalTrafficPolicy: Cluster (Pods then see a "
            "node's address instead of the client's)",
        )
