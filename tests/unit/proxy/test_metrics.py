"""How the proxy does, as Prometheus reads it."""

from __future__ import annotations

from pilotfish.proxy.metrics import Metrics


def test_what_was_synced_changed_and_failed_is_counted() -> None:
    metrics = Metrics()
    metrics.synced(0.0004)
    metrics.synced(0.003)
    metrics.service_changes += 2
    metrics.failures += 1
    lines = metrics.text().splitlines()
    prefix = "kubeproxy_sync_proxy_rules"
    assert f'{prefix}_duration_seconds_bucket{{le="0.001"}} 1' in lines
    assert f'{prefix}_duration_seconds_bucket{{le="0.004"}} 2' in lines
    assert f"{prefix}_duration_seconds_count 2" in lines
    assert f"{prefix}_service_changes_total 2" in lines
    assert f"{prefix}_endpoint_changes_total 0" in lines
    assert f"{prefix}_nftables_sync_failures_total 1" in lines
    (last,) = [line for line in lines if line.startswith(f"{prefix}_last_timestamp_seconds ")]
    assert float(last.split()[1]) > 1.7e9
