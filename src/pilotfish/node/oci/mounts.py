"""The mounts of a container: the ones every container has, and how one is written."""

from __future__ import annotations

from dataclasses import dataclass

from pilotfish.objects.meta import Object


@dataclass(frozen=True)
class Mount:
    destination: str
    source: str
    type: str = "bind"
    options: tuple[str, ...] = ("rbind", "rprivate")

    def as_oci(self) -> Object:
        return {
            "destination": self.destination,
            "type": self.type,
            "source": self.source,
            "options": list(self.options),
        }


def bind(
    destination: str,
    source: str,
    read_only: bool,
    propagation: str = "rprivate",
    *,
    recursive: bool = False,
) -> Mount:
    """A bind mount; `recursive`: what is mounted below it is read-only as well."""
    mode = ("rro" if recursive else "ro") if read_only else "rw"
    return Mount(destination, source, "bind", ("rbind", propagation, mode))


def base_mounts(shm: str, dev: str, privileged: bool) -> list[Mount]:
    """proc, dev, sys and friends, as containerd mounts them.

    `shm` is the Pod's shared memory, `dev` a folder with the container's devices.
    """
    mode = "rw" if privileged else "ro"
    safe = ("nosuid", "noexec", "nodev")
    terminals = ("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5")
    return [
        Mount("/proc", "proc", "proc", safe),
        Mount("/dev", dev, "bind", ("rbind", "rprivate", "nosuid")),
        Mount("/dev/pts", "devpts", "devpts", terminals),
        Mount("/dev/mqueue", "mqueue", "mqueue", safe),
        Mount("/sys", "sysfs", "sysfs", (*safe, mode)),
        Mount("/sys/fs/cgroup", "cgroup", "cgroup", (*safe, "relatime", mode)),
        Mount("/dev/shm", shm, "bind", ("rbind", "rprivate", *safe)),
    ]
