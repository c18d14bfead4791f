"""When a loop counts as hung, and when it does not."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from pilotfish.client import heartbeat, liveness
from pilotfish.client.liveness import Look, Watch


def verdicts(watch: Watch, *looks: Look) -> list[bool]:
    return [watch.hung(look) is not None for look in looks]


def test_a_loop_that_computes_without_a_beat_hangs() -> None:
    watch = Watch(most_cpu_s=30)
    looks = [Look(7, cpu, "R") for cpu in (100.0, 115.0, 130.0, 131.0)]
    assert verdicts(watch, *looks) == [False, False, False, True]


def test_a_loop_that_beats_may_compute_as_much_as_it_likes() -> None:
    looks = [Look(beat, beat * 100.0, "R") for beat in range(50)]
    assert not any(verdicts(Watch(), *looks))


def test_a_loop_that_sleeps_without_a_beat_hangs() -> None:
    looks = [Look(7, 1.0, "S")] * 5
    assert verdicts(Watch(most_looks_asleep=3), *looks) == [False, False, False, False, True]


def test_one_that_gets_no_processor_or_waits_for_a_disk_is_not_blamed() -> None:
    watch = Watch(most_looks_asleep=3)
    assert not any(verdicts(watch, *[Look(7, 1.0, state) for state in "RDRDRDRDRDRD"]))


def test_one_that_was_stopped_has_its_full_time_when_it_goes_on() -> None:
    watch = Watch(most_looks_asleep=3)
    states = "SSST" + "T" * 1000 + "SSS"
    assert not any(verdicts(watch, *[Look(7, 1.0, state) for state in states]))


def test_one_whose_loop_has_not_begun_is_not_judged() -> None:
    assert not any(verdicts(Watch(most_cpu_s=1), *[Look(None, cpu, "R") for cpu in (0.0, 99.0)]))


async def test_beats_are_counted_while_the_loop_turns(tmp_path: Path) -> None:
    path = tmp_path / "beat"
    task = asyncio.create_task(heartbeat.beat(path, period_s=0.001))
    while not path.exists():  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    seen = set()
    while len(seen - {None}) < 3:
        await asyncio.sleep(0.001)
        found = liveness.look(os.getpid(), path)
        assert found is not None
        seen.add(found.beats)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    other = liveness.look(os.getppid(), path)
    assert other is not None
    assert other.beats is None


def test_a_process_that_has_ended_is_not_looked_at(tmp_path: Path) -> None:
    assert liveness.look(2**22 + 1, tmp_path / "beat") is None
