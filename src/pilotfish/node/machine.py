"""What the machine is: processors, memory, kernel, its name; read from /proc and /etc."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from pilotfish.node.node_object import Machine


def memory_bytes(meminfo: str) -> int:
    """MemTotal of /proc/meminfo."""
    match = re.search(r"^MemTotal:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


def disk_bytes(state_dir: Path) -> int:
    """The size of the disk that Pods write to, in whole KiB, as the Node tells it."""
    return shutil.disk_usage(state_dir).total // 1024 * 1024


def os_name(os_release: str) -> str:
    match = re.search(r'^PRETTY_NAME="?([^"\n]*)"?', os_release, re.MULTILINE)
    return match[1] if match else "Linux"


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except FileNotFoundError:
        return ""


def runtime_version() -> str:
    """ "runc://1.1.5+ds1", as Nodes show it. Takes some 20 ms."""
    finished = subprocess.run(["runc", "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"runc version (\S+)", finished.stdout)
    return f"runc://{match[1] if match else 'unknown'}"


def read_machine(state_dir: Path) -> Machine:
    return Machine(
        cpus=os.cpu_count() or 1,
        memory_bytes=memory_bytes(_read("/proc/meminfo")),
        disk_bytes=disk_bytes(state_dir),
        kernel=platform.release(),
        os_image=os_name(_read("/etc/os-release")),
        machine_id=_read("/etc/machine-id"),
        boot_id=_read("/proc/sys/kernel/random/boot_id"),
        runtime_version=runtime_version(),
    )
