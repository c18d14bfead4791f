"""How long a crashing container, or a missing image, has to wait: 10 s, doubled up to 5 min."""

from __future__ import annotations

from pilotfish.node.record import ContainerRecord

FIRST_S = 10.0
MAX_S = 300.0
# A run this long earns a fresh start (the kubelet: twice the longest delay).
_FORGIVEN_AFTER_S = 2 * MAX_S


def next_delay_s(delay_s: float) -> float:
    return min(delay_s * 2, MAX_S) if delay_s > 0 else FIRST_S


def restart_delay_s(record: ContainerRecord) -> float:
    """How long after its end this run's successor may start: 0 after the first run."""
    if record.finished_s - record.started_s > _FORGIVEN_AFTER_S:
        return 0.0
    return record.backoff_s


def successor_backoff_s(record: ContainerRecord | None) -> float:
    """The `backoff_s` of the run that follows `record` (None: of the first run)."""
    if record is None:
        return 0.0
    return next_delay_s(restart_delay_s(record))


def format_delay(delay_s: float) -> str:
    """As the kubelet's messages spell it: 10s, 1m20s, 5m0s."""
    whole = int(delay_s)
    if whole < 60:
        return f"{whole}s"
    return f"{whole // 60}m{whole % 60}s"
