"""Findings from what was asked: errors, slow endpoints, uneven shares, names in vain. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING

from pilotfish.dashboard.explain_setup import declared_ports, port_list
from pilotfish.dashboard.finding import count_of, finding
from pilotfish.dashboard.near import is_near
from pilotfish.dashboard.statistics import NO_SUCH_PORT
from pilotfish.objects.meta import name_of

if TYPE_CHECKING:
    from pilotfish.dashboard.messages import Finding
    from pilotfish.dashboard.subject import Serving, Subject

# Fewer errors or requests say nothing.
_MIN_ERRORS = 3
_MIN_REQUESTS = 20
# A part of the requests that fails is worth a word from here on.
_NOTABLE = 0.01
# One endpoint fails so many times more often than the others: it is the endpoint.
_ODD_ONE = 5.0
_SLOW = 3.0
_SLOW_US = 5_000
_HEAVY = 0.5
_TOLD = ("no endpoints", NO_SUCH_PORT)


def findings(subject: Subject) -> Iterator[Finding]:
    """Everything that the traffic of a window says."""
    refused = _refused(subject)
    yield from refused
    if not refused:
        yield from _errors(subject)
    yield from _slow_endpoint(subject)
    yield from _uneven(subject)
    yield from _wrong_ports(subject)
    yield from _wrong_names(subject)


def _refused(subject: Subject) -> list[Finding]:
    """Pods that are there and ready, and do not listen."""
    refused = subject.tally.statuses.get("refused", 0)
    # Where everything is refused it is all of them: who it was is not known of other nodes.
    everywhere = refused >= _MIN_ERRORS and refused == subject.tally.requests
    by_port: dict[str, list[Serving]] = {}
    for each in subject.ready:
        count = each.tally.statuses.get("refused", 0)
        if everywhere or (count >= _MIN_ERRORS and count == each.tally.requests):
            by_port.setdefault(_port_of(each), []).append(each)
    return [_nobody_listens(subject, port, pods) for port, pods in by_port.items()]


def _port_of(serving: Serving) -> str:
    return "/".join(str(number) for number in sorted(set(serving.ports.values())))


def _nobody_listens(subject: Subject, port: str, refusing: list[Serving]) -> Finding:
    first = refusing[0]
    who = f"{first.name} refuses" if len(refusing) == 1 else f"{len(refusing)} Pods refuse"
    pods = [pod for pod in subject.pods if name_of(pod) in {each.name for each in refusing}]
    declared = declared_ports(pods, "TCP")
    if declared and port.isdecimal() and int(port) not in declared:
        mend = f"the Pods declare {port_list(declared)}: set targetPort to that"
    else:
        mend = (
            f"see what listens: kubectl exec {first.name} -n {first.namespace} -- ss -ltn; "
            "set targetPort to that; what listens at 127.0.0.1 only must listen at 0.0.0.0"
        )
    return finding("error", f"{who} connections at port {port}: nothing listens there", mend)


def _errors(subject: Subject) -> Iterator[Finding]:
    tally = subject.tally
    if "no endpoints" in tally.statuses and subject.ready:
        count = tally.statuses["no endpoints"]
        times = "1 connection was" if count == 1 else f"{count} connections were"
        yield finding("warning", f"{times} refused while no endpoint was ready")
    # These are told by who knows why.
    statuses = {name: n for name, n in tally.statuses.items() if name not in _TOLD}
    failed = sum(statuses.values())
    if failed < _MIN_ERRORS or failed < _NOTABLE * tally.requests:
        return
    odd = _odd_one(subject)
    if odd is not None:
        where = f"-n {odd.namespace}"
        yield finding(
            "error",
            f"requests fail at one endpoint: {odd.name} fails "
            f"{_share(odd.tally.errors, odd.tally.requests)} of what it is asked: "
            f"{count_of(odd.tally.statuses)}",
            f"kubectl logs {odd.name} {where}; a new one in its place: "
            f"kubectl delete pod {odd.name} {where}",
        )
        return
    yield finding(
        "error" if failed >= tally.requests / 2 else "warning",
        f"{_share(failed, tally.requests)} of the requests fail: {count_of(statuses)}",
        f'look at them in the traffic: error && dst.service.name == "{subject.name}"',
    )


def _odd_one(subject: Subject) -> Serving | None:
    """The one endpoint that fails, where others do not."""
    asked = [each for each in subject.serving if each.tally.requests]
    if len(asked) < 2:
        return None
    worst = max(asked, key=lambda each: each.tally.errors / each.tally.requests)
    others = [each for each in asked if each is not worst]
    others_failed = sum(each.tally.errors for each in others)
    others_asked = sum(each.tally.requests for each in others)
    if worst.tally.errors < _MIN_ERRORS or others_asked < _MIN_ERRORS:
        return None
    rate = worst.tally.errors / worst.tally.requests
    return worst if rate >= _ODD_ONE * max(others_failed / others_asked, _NOTABLE) else None


def _slow_endpoint(subject: Subject) -> Iterator[Finding]:
    usual = {}
    for each in subject.serving:
        (p50,) = each.tally.latencies.percentiles(0.5)
        if p50 is not None and each.tally.requests >= _MIN_REQUESTS:
            usual[each.name] = p50
    if len(usual) < 2:
        return
    name = max(usual, key=lambda each: usual[each])
    others = median(time for each, time in usual.items() if each != name)
    if usual[name] >= _SLOW * others and usual[name] - others >= _SLOW_US:
        yield finding(
            "warning",
            f"{name} is slow: half of its answers take {_time(usual[name])} or more; at the "
            f"others it is {_time(others)}",
            f"compare what it has to do, and on which node: kubectl describe pod {name} "
            f"-n {subject.namespace}",
        )


def _uneven(subject: Subject) -> Iterator[Finding]:
    if len(subject.ready) < 2:
        return
    heaviest = subject.heaviest[0] if subject.heaviest else 0
    total = sum(each.tally.requests for each in subject.serving)
    connections = sum(each.tally.connections for each in subject.serving)
    heavy = total >= _MIN_REQUESTS and connections > 1 and heaviest >= _HEAVY * total
    if subject.has_affinity:
        timeout = ((subject.spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get(
            "timeoutSeconds", 10_800
        )
        yield finding(
            "note",
            f"session affinity keeps each client at its Pod until {_seconds(timeout)} after its "
            "last connection: few clients make uneven shares",
            "for equal shares set sessionAffinity: None",
        )
    if heavy:
        yield finding(
            "note",
            f"one connection carries {_share(heaviest, total)} of the requests: all of them go "
            "to the Pod that it was made to",
            "a Service chooses for each connection, not for each request: let the client use "
            "several, or make a new one from time to time",
        )


def _wrong_ports(subject: Subject) -> Iterator[Finding]:
    ports = subject.spec.get("ports") or ()
    has = ", ".join(str(port["port"]) for port in ports) or "none"
    for wrong in subject.wrong_ports:
        mend = "give the Service that port"
        if ports:
            meant = [port for port in ports if port.get("targetPort") == wrong.port]
            hint = f"{wrong.port} is the Pods' port; " if meant else ""
            number = (meant or ports)[0]["port"]
            mend = f"{hint}ask {subject.name}:{number}, or {mend}"
        yield finding(
            "warning",
            f"{wrong.client} asks it at port {wrong.port} ({_times(wrong.times)}); it has {has}",
            mend,
        )


def _wrong_names(subject: Subject) -> Iterator[Finding]:
    for miss in subject.misses:
        mend = f"ask for {subject.name}.{subject.namespace}"
        if miss.name == subject.name and not is_near(miss.namespace, subject.namespace):
            mend += f"; {subject.name} alone is looked for in the client's own namespace"
        yield finding(
            "warning",
            f"{miss.client} asks for {miss.name}.{miss.namespace}, which does not exist "
            f"({_times(miss.times)}); this Service is {subject.name}.{subject.namespace}",
            mend,
        )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "0%"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _time(micros: float) -> str:
    if micros >= 1e6:
        return f"{micros / 1e6:.1f} s"
    return f"{micros / 1e3:.1f} ms" if micros >= 1e3 else f"{micros:.0f} µs"


def _seconds(seconds: int) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
