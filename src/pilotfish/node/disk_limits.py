"""Limits on the disk that a Pod may fill, and the eviction of one that went over.

https://kubernetes.io/docs/concepts/storage/ephemeral-storage/: an emptyDir's sizeLimit, and the
ephemeral-storage limits of containers, which count their writable layers and their logs. The
messages are those of Kubernetes' pkg/kubelet/eviction.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pilotfish.node.paths import PodPaths
from pilotfish.node.processes import run_program
from pilotfish.node.record import all_containers, counted_containers
from pilotfish.objects.meta import Object, key_of
from pilotfish.objects.pod_resources import pod_limits
from pilotfish.objects.quantities import format_quantity, parse_quantity

log = logging.getLogger(__name__)

_RESOURCE = "ephemeral-storage"
_MEASURE_TIMEOUT_S = 60.0
_BLOCK_BYTES = 1024
# du's last line is short; what it says of files that vanish goes elsewhere.
_ANSWER_BYTES = 65536


@dataclass(frozen=True)
class Usage:
    """Bytes on disk: by emptyDir volume (none in memory), and by container."""

    volumes: dict[str, int]
    containers: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.volumes.values()) + sum(self.containers.values())


def disk_volumes(pod: Object) -> Iterator[Object]:
    """The Pod's emptyDirs that are on disk."""
    for volume in pod.get("spec", {}).get("volumes") or []:
        if "emptyDir" in volume and (volume["emptyDir"] or {}).get("medium") != "Memory":
            yield volume


def has_limits(pod: Object) -> bool:
    """Whether the Pod's disk usage has to be measured at all."""
    if any(_size_limit(volume) for volume in disk_volumes(pod)):
        return True
    return any(_limit(container) is not None for container in all_containers(pod))


def exceeded(pod: Object, usage: Usage) -> str:
    """The eviction's message, "" while the Pod keeps to its limits."""
    for volume in disk_volumes(pod):
        name, size = volume["name"], _size_limit(volume)
        if size and usage.volumes.get(name, 0) > parse_quantity(size):
            return f'Usage of EmptyDir volume "{name}" exceeds the limit "{size}". '
    total = _pod_limit(pod)
    if total is not None and usage.total > total:
        shown = format_quantity(total, binary=True)
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {shown}. "
    for container in all_containers(pod):
        name, limit = container["name"], _limit(container)
        if limit is not None and usage.containers.get(name, 0) > parse_quantity(limit):
            return f'Container {name} exceeded its local ephemeral storage limit "{limit}". '
    return ""


def _pod_limit(pod: Object) -> int | None:
    """What all of the Pod may take, in bytes; None when no container has a limit."""
    if all(_limit(container) is None for container in counted_containers(pod)):
        return None
    return pod_limits(pod)[_RESOURCE]


async def measure(pod: Object, paths: PodPaths) -> Usage:
    """What the Pod takes on disk now. It does not count what du cannot measure in time."""
    volumes = {
        volume["name"]: await disk_usage([paths.volumes / volume["name"]])
        for volume in disk_volumes(pod)
    }
    containers = {}
    for container in all_containers(pod):
        name = container["name"]
        layers = sorted(paths.container_dir(name).glob("[0-9]*/upper"))
        logs = paths.container(name, 0).log.parent
        containers[name] = await disk_usage([*layers, logs])
    return Usage(volumes, containers)


async def disk_usage(folders: list[Path]) -> int:
    """Bytes that the folders take on disk, each on its own file system.

    A program of its own counts: a tree of millions of files holds nothing up here, and one of any
    depth does no harm.
    """
    total = 0
    for folder in folders:
        if not folder.is_dir():
            continue
        reading, writing = os.pipe()
        try:
            async with asyncio.timeout(_MEASURE_TIMEOUT_S):
                await run_program(["du", "-skx", "--", str(folder)], stdout=writing)
            os.set_blocking(reading, False)
            total += _first_number(os.read(reading, _ANSWER_BYTES)) * _BLOCK_BYTES
        except TimeoutError:
            log.warning("%s: not measured within %d s", folder, _MEASURE_TIMEOUT_S)
        except BlockingIOError:
            log.warning("%s: du could not measure it", folder)
        finally:
            os.close(reading)
            os.close(writing)
    return total


def _first_number(answer: bytes) -> int:
    word = answer.split(b"\t", 1)[0].strip()
    return int(word) if word.isdigit() else 0


async def watch_limits(
    look: Callable[[], list[tuple[Object, PodPaths, Callable[[str], None]]]], period_s: float
) -> None:
    """Measure one Pod after the other, for ever; call a Pod's last part with why it must go.

    `look` gives the Pods that run.
    """
    while True:
        await asyncio.sleep(period_s)
        for pod, paths, evict in look():
            if has_limits(pod):
                try:
                    why = exceeded(pod, await measure(pod, paths))
                except OSError as error:
                    log.warning("pod %s: disk usage: %s", key_of(pod), error)
                else:
                    if why:
                        evict(why)


def _size_limit(volume: Object) -> str:
    limit = str((volume["emptyDir"] or {}).get("sizeLimit") or "")
    return limit if limit and parse_quantity(limit) > 0 else ""


def _limit(container: Object) -> str | None:
    limit = ((container.get("resources") or {}).get("limits") or {}).get(_RESOURCE)
    return None if limit is None else str(limit)
