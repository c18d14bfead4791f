"""Entries as OpenTelemetry spans, in OTLP's JSON.

A request is a span of kind SERVER of the Service that it was sent to, as seen where it entered
the cluster. Where the request carries a `traceparent` (W3C Trace Context, section 3.2), the span
joins that trace under the caller's span; otherwise it is a trace of its own.

Encoding: opentelemetry.io/docs/specs/otlp/ (JSON Protobuf Encoding). Names of attributes:
OpenTelemetry Semantic Conventions, HTTP, RPC, database, network and Kubernetes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from pilotfish.tap.entry import Entry
from pilotfish.version import __version__

Attributes = Mapping[str, str | int | None]

_SERVER = 2
_OK, _ERROR = 0, 2  # a span without fault is left "unset", as the conventions ask
_MAX_TEXT = 4096
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_NO_ID = re.compile(r"0+")
_HTTP = ("http", "http2", "websocket")
_DATABASES = ("redis", "postgresql")


def export_request(entries: Iterable[Entry]) -> dict[str, Any]:
    """The body of a POST to /v1/traces: a span for each entry, by the Pod that answered."""
    resources: dict[tuple[tuple[str, str | int | None], ...], list[dict[str, Any]]] = {}
    for entry in entries:
        resources.setdefault(tuple(_resource(entry).items()), []).append(span(entry))
    scope = {"name": "pilotfish", "version": __version__}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(dict(resource))},
                "scopeSpans": [{"scope": scope, "spans": spans}],
            }
            for resource, spans in resources.items()
        ]
    }


def span(entry: Entry) -> dict[str, Any]:
    """An entry as a span."""
    trace_id, parent_id = _trace(entry)
    begin_us = _micros(entry["timestamp"])
    failed = _failed(entry)
    found: dict[str, Any] = {
        "traceId": trace_id,
        "spanId": _digest(entry, b"span", 8),
        "name": _name(entry),
        "kind": _SERVER,
        "startTimeUnixNano": str(begin_us * 1000),
        "endTimeUnixNano": str((begin_us + _elapsed_us(entry)) * 1000),
        "attributes": _attributes(_span_attributes(entry)),
        "status": {"code": _ERROR, "message": _cut(entry["status"])} if failed else {"code": _OK},
    }
    if parent_id:
        found["parentSpanId"] = parent_id
    return found


def _trace(entry: Entry) -> tuple[str, str]:
    """The trace and the caller's span; that is "" for a trace of its own."""
    headers = (entry.get("request") or {}).get("headers") or {}
    match = _TRACEPARENT.match(headers.get("traceparent", ""))
    if match and not _NO_ID.fullmatch(match[1]) and not _NO_ID.fullmatch(match[2]):
        return match[1], match[2]
    return _digest(entry, b"trace", 16), ""


def _digest(entry: Entry, what: bytes, size: int) -> str:
    """An identifier that is the same whenever the same entry is exported."""
    text = f"{entry['conn']['id']} {entry['id']} {entry['timestamp']}"
    return blake2b(text.encode(), digest_size=size, person=what).hexdigest()


def _name(entry: Entry) -> str:
    """A name that few spans have to themselves: paths and statements are attributes."""
    request = entry.get("request") or {}
    if entry["protocol"] == "grpc" and request.get("rpc"):
        return f"{_cut(request.get('service', ''))}/{_cut(request['rpc'])}"
    method = entry.get("method", "")
    if entry["protocol"] in _HTTP and method:
        return _cut(method)
    return _cut(f"{entry['protocol']} {method}".strip())


def _failed(entry: Entry) -> bool:
    """A server is not at fault for what its client asked wrongly (conventions for HTTP spans)."""
    if entry["protocol"] in _HTTP and not entry["failure"]:
        return int(entry.get("status_code", 0)) >= 500
    return bool(entry["error"])


def _elapsed_us(entry: Entry) -> int:
    """What is known of the time it took."""
    if entry["elapsed_time"] is not None:
        return int(entry["elapsed_time"])
    timing = entry.get("timing") or {}
    return sum(timing.get(part) or 0 for part in ("wait", "transfer"))


def _resource(entry: Entry) -> Attributes:
    """Who answered, or should have."""
    service = entry["dst"].get("service") or {}
    pod = (entry.get("endpoint") or entry["dst"]).get("pod") or {}
    owner = pod.get("owner") or {}
    found: dict[str, str | int | None] = {
        "service.name": service.get("name") or owner.get("name") or entry["dst"]["name"],
        "service.namespace": service.get("namespace") or pod.get("namespace"),
        "k8s.namespace.name": pod.get("namespace") or service.get("namespace"),
        "k8s.pod.name": pod.get("name"),
        "k8s.node.name": pod.get("node"),
    }
    if owner.get("kind") in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"):
        found[f"k8s.{owner['kind'].lower()}.name"] = owner.get("name")
    return found


def _span_attributes(entry: Entry) -> Attributes:
    source, target = entry["src"], entry["dst"]
    endpoint = entry.get("endpoint") or target
    found: dict[str, str | int | None] = {
        "client.address": source["ip"],
        "client.port": source["port"],
        "server.address": target["name"],
        "server.port": target["port"],
        "network.peer.address": endpoint["ip"],
        "network.peer.port": endpoint["port"],
        "pilotfish.client.kind": source["kind"],
        "pilotfish.client.name": source["name"],
        "pilotfish.client.namespace": (source.get("pod") or {}).get("namespace"),
        "pilotfish.protocol": entry["protocol"],
        "pilotfish.entry": entry["id"],
        "error.type": entry["status"] if _failed(entry) else None,
    }
    if entry["protocol"] in (*_HTTP, "grpc"):
        found |= _http_attributes(entry)
    elif entry["protocol"] in _DATABASES:
        found |= _database_attributes(entry)
    elif entry["protocol"] == "dns":
        found["dns.question.name"] = (entry.get("request") or {}).get("name", "").rstrip(".")
    return found


def _http_attributes(entry: Entry) -> Attributes:
    request = entry.get("request") or {}
    headers = request.get("headers") or {}
    path, _, query = str(request.get("url") or entry.get("path", "")).partition("?")
    found: dict[str, str | int | None] = {
        "http.request.method": entry.get("method"),
        "http.response.status_code": entry.get("status_code"),
        "url.scheme": "http",
        "url.path": path,
        "url.query": query or None,
        "user_agent.original": headers.get("user-agent"),
        "network.protocol.version": str(request.get("version", "")).removeprefix("HTTP/") or None,
    }
    if entry["protocol"] == "grpc":
        answer = entry.get("response") or {}
        found["rpc.system"] = "grpc"
        found["rpc.service"], found["rpc.method"] = request.get("service"), request.get("rpc")
        found["rpc.grpc.status_code"] = answer.get("grpc_status")
    return found


def _database_attributes(entry: Entry) -> Attributes:
    request = entry.get("request") or {}
    return {
        "db.system.name": entry["protocol"],
        "db.operation.name": entry.get("method"),
        "db.query.text": request.get("query"),
        "db.namespace": request.get("database"),
    }


def _attributes(values: Attributes) -> list[dict[str, Any]]:
    """Attributes in OTLP's JSON, without those that are not known. int64 is text there."""
    return [
        {
            "key": key,
            "value": {"intValue": str(value)}
            if isinstance(value, int)
            else {"stringValue": _cut(value)},
        }
        for key, value in values.items()
        if value is not None
    ]


def _cut(text: str) -> str:
    return text[:_MAX_TEXT]


def _micros(timestamp: str) -> int:
    moment = datetime.fromisoformat(timestamp)
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond
