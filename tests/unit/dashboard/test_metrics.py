"""Metrics as Prometheus reads them."""

from __future__ import annotations

import re

from pilotfish.dashboard import metrics
from pilotfish.dashboard.messages import Status
from support.traffic import Shop

_SAMPLE = re.compile(r'[a-z_]+(\{([a-z_]+="([^"\\]|\\.)*",?)*\})? \S+')


def samples(text: str) -> dict[str, float]:
    """Value by name and labels; fails for a line that is none."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        assert _SAMPLE.fullmatch(line), line
        key, _, value = line.rpartition(" ")
        assert key not in found, f"{key} is told twice"
        found[key] = float(value)
    return found


def test_requests_and_errors_are_counted_by_service_and_endpoint() -> None:
    shop = Shop()
    shop.ask("api", 0, times=3, elapsed_time=2_000)
    shop.fail("api", "503", 1)
    shop.fail("api", "no endpoints", None)
    found = samples(metrics.text(shop.statistics))
    labels = 'namespace="default",service="api",protocol="http"'
    assert found[f'pilotfish_requests_total{{{labels},endpoint="api-0"}}'] == 3
    assert found[f'pilotfish_errors_total{{{labels},endpoint="api-0"}}'] == 0
    assert found[f'pilotfish_errors_total{{{labels},endpoint="api-1"}}'] == 1
    assert found[f'pilotfish_errors_total{{{labels},endpoint=""}}'] == 1
    duration = "pilotfish_request_duration_seconds"
    assert found[f'{duration}_bucket{{{labels},le="0.001"}}'] == 1
    assert found[f'{duration}_bucket{{{labels},le="0.0025"}}'] == 4
    assert found[f'{duration}_bucket{{{labels},le="+Inf"}}'] == 4
    assert found[f"{duration}_count{{{labels}}}"] == 4
    assert found[f"{duration}_sum{{{labels}}}"] == 0.007


def test_edges_say_who_asked_whom() -> None:
    shop = Shop()
    shop.ask("api", 0, times=2)
    shop.ask("api", 1)
    labels = (
        'source_kind="deployment",source_namespace="default",source="client",'
        'target_kind="service",target_namespace="default",target="api",protocol="http"'
    )
    found = samples(metrics.text(shop.statistics))
    assert found[f"pilotfish_edge_requests_total{{{labels}}}"] == 3


def test_counters_never_go_back_when_windows_are_over() -> None:
    shop = Shop()
    shop.ask("api", times=5)
    before = samples(metrics.text(shop.statistics))
    shop.statistics.window(60, 2e9)
    assert samples(metrics.text(shop.statistics)) == before


def test_every_metric_has_its_help_and_type_before_its_samples() -> None:
    shop = Shop()
    shop.ask("api")
    described: set[str] = set()
    for line in metrics.text(shop.statistics).splitlines():
        if line.startswith("# TYPE "):
            described.add(line.split()[2])
        elif not line.startswith("#"):
            name = re.split(r"[{ ]", line)[0]
            assert name in described or re.sub("_(bucket|sum|count)$", "", name) in described


def test_the_taps_and_the_history_are_told() -> None:
    status: Status = {
        "type": "status",
        "connected": True,
        "problem": "",
        "retry_at": None,
        "nodes": [
            {
                "name": "node-1",
                "connected": True,
                "problem": "",
                "packets": 10,
                "dropped": 1,
                "entries": 4,
                "lost": 2,
                "skipped": 0,
            }
        ],
        "entries_per_s": 1.0,
        "history_since": None,
        "history_bytes": 4096,
        "recording": True,
    }
    found = samples(metrics.text(Shop().statistics, status))
    assert found['pilotfish_tap_connected{node="node-1"}'] == 1
    assert found['pilotfish_tap_dropped_total{node="node-1"}'] == 1
    assert found["pilotfish_history_bytes"] == 4096
