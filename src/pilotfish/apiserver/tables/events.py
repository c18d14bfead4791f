"""The table of Events, of core/v1 and of events.k8s.io/v1 alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.tables.durations import since
from pilotfish.apiserver.tables.printer import Cells, KindTable, columns


def _cells(event: Mapping[str, Any]) -> Cells:
    # events.k8s.io renamed the fields of core/v1.
    first = event.get("firstTimestamp") or event.get("deprecatedFirstTimestamp")
    last = event.get("lastTimestamp") or event.get("deprecatedLastTimestamp")
    count = event.get("count") or event.get("deprecatedCount") or 1
    first = first or event.get("eventTime")
    last = last or first
    series = event.get("series")
    if series:
        last = series.get("lastObservedTime") or last
        count = series.get("count") or count
    target = event.get("involvedObject") or event.get("regarding") or {}
    shown = str(target.get("kind", "")).lower()
    if target.get("name"):
        shown = f"{shown}/{target['name']}"
    return [
        since(last),
        event.get("type", ""),
        event.get("reason", ""),
        shown,
        target.get("fieldPath", ""),
        _source(event),
        (event.get("message") or event.get("note") or "").strip(),
        since(first),
        count,
        event["metadata"]["name"],
    ]


def _source(event: Mapping[str, Any]) -> str:
    source = event.get("source") or event.get("deprecatedSource") or {}
    component = (
        source.get("component")
        or event.get("reportingController")
        or (event.get("reportingComponent"))
    )
    host = source.get("host") or event.get("reportingInstance")
    return ", ".join(filter(None, (component, host)))


EVENTS = KindTable(
    columns(
        "Last Seen | Type | Reason | Object | Subobject+ | Source+ | Message | First Seen+ "
        "| Count#+ | Name+"
    ),
    _cells,
)
