"""Run benchmarks and write docs/benchmarks.md: `make bench`, or `make bench ONLY="NAME ..."`.

A benchmark is a module of this folder with `run() -> Report`. Those named are
measured; without names, all. Sections of those not measured are kept.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

TARGET = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BENCHMARKS = (
    "startup",
    "pods",
    "readiness",
    "proxy_scale",
    "proxy_latency",
    "proxy_traffic",
    "dns_rate",
    "api_rates",
    "api_etcd",
    "tap_live",
    "tap_file",
    "tap_filter",
    "tap_history",
    "dashboard",
)
_SECTION = re.compile(r"<!-- (\w+) -->\n(.*?)(?=<!-- \w+ -->|\Z)", re.DOTALL)

_INTRODUCTION = """# Benchmarks

Made by `make bench`; every figure of a row comes from one run on one machine. Absolute times
belong to that machine, ratios travel better.

"""


def main() -> int:
    """Measure what is named on the command line, and write the page."""
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there is: {', '.join(BENCHMARKS)}")
        return 2
    sections = dict(_SECTION.findall(TARGET.read_text())) if TARGET.exists() else {}
    for number, name in enumerate(names, 1):
        print(f"[{number}/{len(names)}] {name} …", flush=True)
        began = time.monotonic()
        report = importlib.import_module(f"benchmarks.{name}").run()
        taken = datetime.now(UTC).strftime("%Y-%m-%d")
        sections[name] = f"{report.markdown()}\nMeasured {taken} on {_machine()}.\n\n"
        print(f"{sections[name]}({time.monotonic() - began:.0f} s)\n", flush=True)
        # After each: what one cannot measure does not take the others' figures with it.
        _write(sections)
    print(f"written: {TARGET}")
    return 0


def _write(sections: dict[str, str]) -> None:
    parts = (f"<!-- {name} -->\n{sections[name]}" for name in BENCHMARKS if name in sections)
    TARGET.write_text((_INTRODUCTION + "".join(parts)).rstrip() + "\n")


def _machine() -> str:
    kernel = platform.release().split("-")[0]
    return f"{os.cpu_count()} cores, Linux {kernel}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
