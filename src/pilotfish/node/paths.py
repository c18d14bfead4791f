"""Where a node keeps what: one place for the names of its folders and files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_MANIFEST = "pod.json"
BOUND = "bound"


@dataclass(frozen=True)
class ContainerPaths:
    """One run (attempt) of one container.

    `bundle` holds runc's config.json and lives with the writable layer, which may be large, in
    the state folder; pipes live in the run folder, which a reboot empties. `bound` has the mounts
    that runc is given as sources.
    """

    bundle: Path
    run: Path
    log: Path
    bound: Path

    @property
    def rootfs(self) -> Path:
        return self.bundle / "rootfs"

    @property
    def upper(self) -> Path:
        return self.bundle / "upper"

    @property
    def work(self) -> Path:
        return self.bundle / "work"

    @property
    def record(self) -> Path:
        return self.bundle / "record.json"

    @property
    def termination_log(self) -> Path:
        return self.bundle / "termination-log"

    @property
    def dev(self) -> Path:
        """What becomes the container's /dev."""
        return self.bound / "dev"

    def stream(self, name: str) -> Path:
        """The named pipe of stdin, stdout or stderr."""
        return self.run / name


@dataclass(frozen=True)
class PodPaths:
    state: Path
    run: Path

    @property
    def manifest(self) -> Path:
        return self.state / _MANIFEST

    @property
    def volumes(self) -> Path:
        return self.state / "volumes"

    @property
    def etc(self) -> Path:
        return self.state / "etc"

    @property
    def shm(self) -> Path:
        return self.run / "shm"

    def namespace(self, kind: str) -> Path:
        """The bind mount that keeps the Pod's ipc or uts namespace."""
        return self.run / kind

    @property
    def _bound(self) -> Path:
        return self.run.parents[1] / BOUND

    def bound_runs(self) -> list[Path]:
        """The folders of bound sources that are left of any of the Pod's containers."""
        return list(self._bound.glob(f"{self.run.name}.*"))

    def container_dir(self, container: str) -> Path:
        return self.state / "containers" / container

    def container(self, container: str, attempt: int) -> ContainerPaths:
        return ContainerPaths(
            bundle=self.container_dir(container) / str(attempt),
            run=self.run / f"{container}.{attempt}",
            log=self.state / container / f"{attempt}.log",
            bound=self._bound / f"{self.run.name}.{container}.{attempt}",
        )


def manifest_above(rootfs: Path) -> Path:
    """The manifest of the Pod, whichever node's, whose container has that root file system."""
    return rootfs.parents[3] / _MANIFEST


@dataclass(frozen=True)
class NodePaths:
    state: Path
    run: Path

    @classmethod
    def of(cls, state_dir: Path, run_dir: Path, node: str) -> NodePaths:
        return cls(state=state_dir / "nodes" / node, run=run_dir / "nodes" / node)

    @property
    def pods(self) -> Path:
        return self.state / "pods"

    @property
    def ipam(self) -> Path:
        return self.state / "ipam.json"

    @property
    def second_ipam(self) -> Path:
        """For the other address family in a dual-stack cluster."""
        return self.state / "ipam-second.json"

    @property
    def runc_root(self) -> Path:
        return self.run / "runc"

    @property
    def bound(self) -> Path:
        return self.run / BOUND

    @property
    def host_view(self) -> Path:
        return self.run / "host-view"

    def pod(self, uid: str) -> PodPaths:
        return PodPaths(state=self.pods / uid, run=self.run / "pods" / uid)
