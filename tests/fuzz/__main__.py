"""`make fuzz`: many requests with something wrong in them, against an API server of one's own.

The seed is printed, and every request that was answered wrongly is kept, ready to be sent again:

    make fuzz                             a quarter of a million requests, of a new seed
    make fuzz SEED=7 REQUESTS=1000        the same ones each time
    make fuzz REPLAY=.cache/fuzz/7.jsonl  those that failed, each against a server that has seen
                                          only those before it
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from fuzz.requests import Request, requests
from fuzz.running import Outcome, run
from fuzz.server import fuzzed_server

_FOLDER = Path(".cache/fuzz")


def _main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--requests", type=int, default=250_000)
    parser.add_argument("--replay", type=Path)
    arguments = parser.parse_args()
    begun = time.monotonic()

    def progress(number: int, outcome: Outcome) -> None:
        if number % 10_000 == 0:
            rate = number / (time.monotonic() - begun)
            failed = len(outcome.failures)
            print(f"fuzz: {number} sent, {failed} answered wrongly, {rate:.0f}/s", flush=True)

    if arguments.replay:
        lines = arguments.replay.read_text().splitlines()
        sent = iter([Request.of_line(line.partition("\t")[2]) for line in lines])
        print(f"fuzz: {len(lines)} requests of {arguments.replay}")
    else:
        sent = requests(arguments.seed, arguments.requests)
        print(f"fuzz: {arguments.requests} requests of seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, fuzzed_server(Path(folder)) as (process, path):
        outcome = run(process, path, sent, progress)
        log = (Path(folder) / "log").read_text(errors="replace")
    print("fuzz: answers:", dict(sorted(outcome.codes.items())))
    if not outcome.failures:
        return 0
    _FOLDER.mkdir(parents=True, exist_ok=True)
    kept = _FOLDER / f"{arguments.seed}.jsonl"
    kept.write_text("".join(f"{why!r}\t{each.line()}\n" for each, why in outcome.failures))
    kept.with_suffix(".log").write_text(log)
    for why in dict.fromkeys(why for _, why in outcome.failures):
        print(f"fuzz: {why[:300]}")
    print(f"fuzz: {len(outcome.failures)} answered wrongly: {kept} (to be sent again), "
          f"{kept.with_suffix('.log')}")  # fmt: skip
    return 1


if __name__ == "__main__":
    sys.exit(_main())
