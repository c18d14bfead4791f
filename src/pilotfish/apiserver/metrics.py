"""Request metrics under kube-apiserver's names, in Prometheus' text form.

Counting a request is a dictionary look-up and a few additions; the text is made when /metrics is
read. Names and labels: "Kubernetes Metrics Reference" in the Kubernetes documentation.
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
from pilotfish.version import KUBERNETES_VERSION

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
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
_MUTATING: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_CONNECTIONS: Final = frozenset({"attach", "exec", "log", "portforward", "proxy"})
_STARTED_S: Final = time.time()

Labels = tuple[tuple[str, str], ...]


class _Durations:
    """A histogram of seconds."""

    __slots__ = ("buckets", "total_s")

    def __init__(self) -> None:
        self.buckets = [0] * (len(_BOUNDS_S) + 1)
        self.total_s = 0.0


class Metrics:
    """What has been asked of a server since its start."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        # By what was asked for and the answer's code; and by what was asked for alone.
        self._requests: dict[tuple[str, ...], int] = {}
        self._durations: dict[tuple[str, ...], _Durations] = {}
        self._running: dict[tuple[str, ...], int] = {}
        self._watch_events: dict[tuple[str, str, str], int] = {}
        self._inflight = {"mutating": 0, "readOnly": 0}

    def begin(self, kind: tuple[str, ...], asked: Attributes) -> None:
        """Count a request that begins to be answered; `kind` is `kind_of` it."""
        if is_long_running(asked):
            self._running[kind] = self._running.get(kind, 0) + 1
        else:
            self._inflight["mutating" if asked.verb in _MUTATING else "readOnly"] += 1

    def end(self, kind: tuple[str, ...], asked: Attributes, code: int, duration_s: float) -> None:
        """Count a request that has been answered."""
        if is_long_running(asked):
            self._running[kind] -= 1
        else:
            self._inflight["mutating" if asked.verb in _MUTATING else "readOnly"] -= 1
        answered = (*kind, str(code))
        self._requests[answered] = self._requests.get(answered, 0) + 1
        durations = self._durations.get(kind)
        if durations is None:
            durations = self._durations[kind] = _Durations()
        durations.buckets[bisect_left(_BOUNDS_S, duration_s)] += 1
        durations.total_s += duration_s

    def sent(self, group: str, version: str, plural: str, events: int) -> None:
        """Count events that were sent to watches."""
        place = (group, version, plural)
        self._watch_events[place] = self._watch_events.get(place, 0) + events

    def text(self) -> str:
        """All metrics, as Prometheus reads them."""
        return "\n".join([*self._lines(), ""])

    def _lines(self) -> Iterator[str]:
        yield from _head("kubernetes_build_info", "gauge", "The version of the API, as a label.")
        yield _sample("kubernetes_build_info", (("git_version", KUBERNETES_VERSION),), 1)
        yield from _head("apiserver_request_total", "counter", "Requests, by what was answered.")
        for (*kind, code), count in self._requests.items():
            yield _sample("apiserver_request_total", (("code", code), *_labels(kind)), count)
        name = "apiserver_request_duration_seconds"
        yield from _head(name, "histogram", "How long requests took.")
        for known, durations in self._durations.items():
            yield from _histogram(name, _labels(known), durations)
        name = "apiserver_current_inflight_requests"
        yield from _head(name, "gauge", "Requests being answered, but the long ones.")
        for request_kind, count in self._inflight.items():
            yield _sample(name, (("request_kind", request_kind),), count)
        name = "apiserver_longrunning_requests"
        yield from _head(name, "gauge", "Watches and connections that are open.")
        for known, count in self._running.items():
            yield _sample(name, _labels(known), count)
        name = "apiserver_watch_events_total"
        yield from _head(name, "counter", "Events that were sent to watches.")
        for (group, version, plural), count in self._watch_events.items():
            labels = (("group", group), ("version", version), ("resource", plural))
            yield _sample(name, labels, count)
        yield from _head("apiserver_storage_objects", "gauge", "Objects in the store.")
        for collection in sorted(self._registry.collections(), key=lambda each: each.name):
            labelled = (("resource", collection.name),)
            yield _sample("apiserver_storage_objects", labelled, len(collection))
        yield from _process()


def kind_of(asked: Attributes, version: str, dry_run: bool) -> tuple[str, ...]:
    """What requests are counted by: the values of the labels in `_labels`."""
    verb = _VERBS.get(asked.verb) or asked.verb.upper()
    if asked.subresource in _CONNECTIONS and asked.subresource != "log":
        verb = "CONNECT"
    if not asked.resource:
        scope = ""
    elif asked.name or asked.verb == "create":
        scope = "resource"
    else:
        scope = "namespace" if asked.namespace else "cluster"
    dry = "All" if dry_run else ""
    return (verb, asked.group, version, asked.resource, asked.subresource, scope, dry)


def is_long_running(asked: Attributes) -> bool:
    """Whether a request may last as long as the client likes."""
    return asked.verb == "watch" or asked.subresource in _CONNECTIONS


def _labels(kind: list[str] | tuple[str, ...]) -> Labels:
    names = ("verb", "group", "version", "resource", "subresource", "scope", "dry_run")
    return (("component", "apiserver"), *zip(names, kind, strict=True))


def _head(name: str, type_: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {type_}"


def _sample(name: str, labels: Labels, value: float) -> str:
    shown = ",".join(f'{key}="{text}"' for key, text in labels)
    return f"{name}{{{shown}}} {value}" if shown else f"{name} {value}"


def _histogram(name: str, labels: Labels, durations: _Durations) -> Iterator[str]:
    count = 0
    for bound, bucket in zip((*_BOUNDS_S, "+Inf"), durations.buckets, strict=True):
        count += bucket
        text = bound if isinstance(bound, str) else f"{bound:g}"
        yield _sample(f"{name}_bucket", (*labels, ("le", text)), count)
    yield _sample(f"{name}_sum", labels, durations.total_s)
    yield _sample(f"{name}_count", labels, count)


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
        yield from _head(name, type_, "Of the process, as proc(5) has it.")
        yield _sample(name, (), value)
