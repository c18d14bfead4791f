"""Request metrics under kube-apiserver's names, in Prometheus' text form.

Counting a request is one look-up in a dictionary and a few additions; the text is made when
/metrics is read. Names and labels: "Kubernetes Metrics Reference" in the Kubernetes documentation.
"""

from __future__ import annotations

import os
import resource as limits
import time
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.apiserver.registry import Registry
from pilotfish.client.exposition import Labels, head, histogram, sample
from pilotfish.version import KUBERNETES_VERSION

# kube-apiserver's own bounds of its request durations, in seconds.
_BOUNDS_S: Final = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0,
    10.0, 15.0, 20.0, 30.0, 45.0, 60.0,
)  # fmt: skip
_VERBS: Final = {
    "get": "GET",
    "list": "LIST",
    "watch": "WATCH",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETECOLLECTION",
}
_LABELS: Final = ("verb", "group", "version", "resource", "subresource", "scope", "dry_run")
_MUTATING: Final = "mutating"
_READ_ONLY: Final = "readOnly"
_CONNECTIONS: Final = frozenset({"attach", "exec", "log", "portforward", "proxy"})
_STARTED_S: Final = time.time()


class Kind:
    """Requests that are counted together: those with the same labels.

    Attributes:
        labels: the values of `_LABELS`.
        gauge: the count of requests in flight that these belong to; "" for the long ones.
    """

    __slots__ = ("_buckets", "_codes", "_total_s", "gauge", "labels", "running")

    def __init__(self, labels: tuple[str, ...], gauge: str) -> None:
        self.labels = labels
        self.gauge = gauge
        self.running = 0
        self._codes: dict[int, int] = {}
        self._buckets = [0] * (len(_BOUNDS_S) + 1)
        self._total_s = 0.0

    def end(self, code: int, duration_s: float) -> None:
        """Count a request that has been answered."""
        self.running -= 1
        self._codes[code] = self._codes.get(code, 0) + 1
        self._buckets[bisect_left(_BOUNDS_S, duration_s)] += 1
        self._total_s += duration_s

    def counts(self) -> Iterator[str]:
        """Lines of how many were answered with which code."""
        for code, count in self._codes.items():
            labels = (("code", str(code)), *self.named())
            yield sample("apiserver_request_total", labels, count)

    def durations(self, name: str) -> Iterator[str]:
        """Lines of the histogram of durations."""
        if not self._codes:
            return
        yield from histogram(name, self.named(), _BOUNDS_S, self._buckets, self._total_s)

    def named(self) -> Labels:
        """The labels with their names."""
        return (("component", "apiserver"), *zip(_LABELS, self.labels, strict=True))


class Metrics:
    """What has been asked of a server since its start."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._kinds: dict[tuple[str, ...], Kind] = {}
        self._watch_events: dict[tuple[str, str, str], int] = {}

    def begin(self, asked: Attributes, version: str, dry_run: bool) -> Kind:
        """Count a request that begins to be answered; `end` of the kind counts its answer.

        Args:
            version: of the resource's group.
        """
        verb, group, resource, subresource, namespace, name, *_ = asked
        if not resource:
            scope = ""
        elif name or verb == "create":
            scope = "resource"
        else:
            scope = "namespace" if namespace else "cluster"
        place = (verb, group, version, resource, subresource, scope, "All" if dry_run else "")
        kind = self._kinds.get(place)
        if kind is None:
            kind = self._kinds[place] = _new_kind(asked, place)
        kind.running += 1
        return kind

    def sent(self, group: str, version: str, plural: str, events: int) -> None:
        """Count events that were sent to watches."""
        place = (group, version, plural)
        self._watch_events[place] = self._watch_events.get(place, 0) + events

    def text(self) -> str:
        """All metrics, as Prometheus reads them."""
        return "\n".join([*self._lines(), ""])

    def _lines(self) -> Iterator[str]:
        yield from head("kubernetes_build_info", "gauge", "The version of the API, as a label.")
        yield sample("kubernetes_build_info", (("git_version", KUBERNETES_VERSION),), 1)
        kinds = list(self._kinds.values())
        yield from head("apiserver_request_total", "counter", "Requests, by what was answered.")
        for kind in kinds:
            yield from kind.counts()
        name = "apiserver_request_duration_seconds"
        yield from head(name, "histogram", "How long requests took.")
        for kind in kinds:
            yield from kind.durations(name)
        name = "apiserver_current_inflight_requests"
        yield from head(name, "gauge", "Requests being answered, but the long ones.")
        for gauge in (_MUTATING, _READ_ONLY):
            count = sum(kind.running for kind in kinds if kind.gauge == gauge)
            yield sample(name, (("request_kind", gauge),), count)
        name = "apiserver_longrunning_requests"
        yield from head(name, "gauge", "Watches and connections that are open.")
        for kind in kinds:
            if not kind.gauge:
                yield sample(name, kind.named(), kind.running)
        name = "apiserver_watch_events_total"
        yield from head(name, "counter", "Events that were sent to watches.")
        for (group, version, plural), count in self._watch_events.items():
            labels = (("group", group), ("version", version), ("resource", plural))
            yield sample(name, labels, count)
        yield from head("apiserver_storage_objects", "gauge", "Objects in the store.")
        for collection in sorted(self._registry.collections(), key=lambda each: each.name):
            labelled = (("resource", collection.name),)
            yield sample("apiserver_storage_objects", labelled, len(collection))
        yield from _process()


def _new_kind(asked: Attributes, place: tuple[str, ...]) -> Kind:
    verb = _VERBS.get(asked.verb) or asked.verb.upper()
    if asked.subresource in _CONNECTIONS and asked.subresource != "log":
        verb = "CONNECT"
    if asked.verb == "watch" or asked.subresource in _CONNECTIONS:
        gauge = ""
    else:
        gauge = _READ_ONLY if asked.verb in ("get", "list") else _MUTATING
    return Kind((verb, *place[1:]), gauge)


def _process() -> Iterator[str]:
    """The process, as every program of Prometheus' libraries shows itself (proc(5))."""
    times = os.times()
    pages, resident, *_ = Path("/proc/self/statm").read_text().split()
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    most, _ = limits.getrlimit(limits.RLIMIT_NOFILE)
    values = (
        ("process_cpu_seconds_total", "counter", times.user + times.system),
        ("process_resident_memory_bytes", "gauge", int(resident) * page_bytes),
        ("process_virtual_memory_bytes", "gauge", int(pages) * page_bytes),
        ("process_open_fds", "gauge", sum(1 for _ in Path("/proc/self/fd").iterdir())),
        ("process_max_fds", "gauge", most),
        ("process_start_time_seconds", "gauge", _STARTED_S),
    )
    for name, type_, value in values:
        yield from head(name, type_, "Of the process, as proc(5) has it.")
        yield sample(name, (), value)
