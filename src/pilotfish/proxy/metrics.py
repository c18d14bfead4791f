"""How the proxy keeps the kernel up to date, under kube-proxy's names.

Names: "Kubernetes Metrics Reference" in the Kubernetes documentation.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator

from pilotfish.client.exposition import head, histogram, sample

# kube-proxy's own bounds, in seconds: doubling from a millisecond.
_BOUNDS_S = tuple(0.001 * 2**n for n in range(15))
_PREFIX = "kubeproxy_sync_proxy_rules"


class Metrics:
    """Counts since the proxy began.

    Attributes:
        service_changes, endpoint_changes: changes of Services and EndpointSlices that were heard.
        failures: transactions that the kernel refused.
    """

    def __init__(self) -> None:
        self.service_changes = 0
        self.endpoint_changes = 0
        self.failures = 0
        self._buckets = [0] * (len(_BOUNDS_S) + 1)
        self._total_s = 0.0
        self._last_s = 0.0

    def synced(self, duration_s: float) -> None:
        """The kernel was brought up to date."""
        self._buckets[bisect_left(_BOUNDS_S, duration_s)] += 1
        self._total_s += duration_s
        self._last_s = time.time()

    def text(self) -> str:
        """All of it, as Prometheus reads it."""
        return "\n".join([*self._lines(), ""])

    def _lines(self) -> Iterator[str]:
        name = f"{_PREFIX}_duration_seconds"
        yield from head(name, "histogram", "How long bringing the kernel up to date took.")
        yield from histogram(name, (), _BOUNDS_S, self._buckets, self._total_s)
        for kind, type_, value, text in (
            ("last_timestamp_seconds", "gauge", self._last_s, "When that was done last."),
            ("service_changes_total", "counter", self.service_changes, "Changes of Services."),
            (
                "endpoint_changes_total",
                "counter",
                self.endpoint_changes,
                "Changes of EndpointSlices.",
            ),
            (
                "nftables_sync_failures_total",
                "counter",
                self.failures,
                "Transactions that the kernel refused.",
            ),
        ):
            yield from head(f"{_PREFIX}_{kind}", type_, text)
            yield sample(f"{_PREFIX}_{kind}", (), value)
