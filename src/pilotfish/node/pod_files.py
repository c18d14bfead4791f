"""The mounts that every container of a Pod gets from its sandbox: the files in /etc."""

from __future__ import annotations

from pilotfish.node.oci.mounts import Mount, bind
from pilotfish.node.paths import PodPaths

_NAMES = ("hosts", "resolv.conf", "hostname")


def etc_mounts(paths: PodPaths, taken: set[str], read_only: bool) -> list[Mount]:
    """/etc/hosts and friends, but where the container mounts a volume of its own (`taken`)."""
    return [
        bind(f"/etc/{name}", str(paths.etc / name), read_only)
        for name in _NAMES
        if f"/etc/{name}" not in taken
    ]
