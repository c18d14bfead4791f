"""How long a crashing container waits."""

from __future__ import annotations

from pilotfish.node.backoff import format_delay, restart_delay_s, successor_backoff_s
from pilotfish.node.record import ContainerRecord


def run(backoff_s: float, ran_s: float = 1) -> ContainerRecord:
    record = ContainerRecord("id", "c", 0, "i", "id", exit_code=1, backoff_s=backoff_s)
    record.started_s, record.finished_s = 1000.0, 1000.0 + ran_s
    return record


def test_delays_double_from_ten_seconds_to_five_minutes() -> None:
    delays = []
    record = None
    for _ in range(8):
        record = run(successor_backoff_s(record))
        delays.append(restart_delay_s(record))
    assert delays == [0, 10, 20, 40, 80, 160, 300, 300]


def test_a_run_of_more_than_ten_minutes_begins_anew() -> None:
    assert restart_delay_s(run(300, ran_s=601)) == 0
    assert successor_backoff_s(run(300, ran_s=601)) == 10


def test_delays_are_written_as_the_kubelet_writes_them() -> None:
    assert [format_delay(one) for one in (10, 40, 80, 300)] == ["10s", "40s", "1m20s", "5m0s"]
