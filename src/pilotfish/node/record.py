"""What the kubelet remembers about containers: on disk per run, in memory per container."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pilotfish.objects.meta import Object


@dataclass
class ContainerRecord:
    """One run of a container. Times are seconds since the epoch; 0 is "not yet".

    `start_ticks` tells the process from a later one of the same pid. `backoff_s` is how long
    after its end the next run has to wait.
    """

    container_id: str
    name: str
    attempt: int
    image: str
    image_id: str
    user: Object = field(default_factory=dict)
    pid: int = 0
    start_ticks: int = 0
    created_s: float = 0.0
    started_s: float = 0.0
    finished_s: float = 0.0
    exit_code: int | None = None
    reason: str = ""
    message: str = ""
    backoff_s: float = 0.0
    startup_passed: bool = False

    @property
    def running(self) -> bool:
        return self.started_s > 0 and self.exit_code is None

    @property
    def exited(self) -> bool:
        return self.exit_code is not None

    def save(self, file: Path) -> None:
        draft = file.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(file)

    @classmethod
    def load(cls, file: Path) -> ContainerRecord:
        """Raises FileNotFoundError, ValueError."""
        try:
            return cls(**json.loads(file.read_text()))
        except TypeError as error:
            raise ValueError(f"{file}: {error}") from error


@dataclass
class ContainerView:
    """One container of a Pod as of now: its newest run, the one before, and its verdicts."""

    current: ContainerRecord | None = None
    previous: ContainerRecord | None = None
    waiting_reason: str = ""
    waiting_message: str = ""
    ready: bool = False
    hook_running: bool = False

    @property
    def running(self) -> bool:
        return self.current is not None and self.current.running

    @property
    def started(self) -> bool:
        """Running, its postStart hook done and its startup probe passed."""
        return (
            self.current is not None
            and self.current.running
            and self.current.startup_passed
            and not self.hook_running
        )


@dataclass
class PodView:
    """A Pod as its worker sees it; `containers` has every container by name."""

    containers: dict[str, ContainerView]
    sandbox_ready: bool = False
    pod_ips: tuple[str, ...] = ()
    start_time: str = ""
    rejected: bool = False  # the node did not take the Pod: its containers have no story
    failed_reason: str = ""  # DeadlineExceeded and such: the Pod is to be stopped for good
    failed_message: str = ""
    terminating: bool = False
    evicted: bool = False

    def of(self, container: Object) -> ContainerView:
        return self.containers[container["name"]]

    def add_new(self, pod: Object) -> None:
        """Ephemeral containers come while the Pod runs: take in those that are not known yet."""
        for container in ephemeral_containers(pod):
            self.containers.setdefault(container["name"], ContainerView())


def is_sidecar(container: Object) -> bool:
    """An init container that keeps running beside the app containers."""
    return container.get("restartPolicy") == "Always"


def init_containers(pod: Object) -> list[Object]:
    return list(pod.get("spec", {}).get("initContainers") or [])


def app_containers(pod: Object) -> list[Object]:
    return list(pod.get("spec", {}).get("containers") or [])


def ephemeral_containers(pod: Object) -> list[Object]:
    return list(pod.get("spec", {}).get("ephemeralContainers") or [])


def counted_containers(pod: Object) -> list[Object]:
    """Those that the Pod is made of: they have probes, and the Pod's state follows from them."""
    return init_containers(pod) + app_containers(pod)


def all_containers(pod: Object) -> list[Object]:
    return counted_containers(pod) + ephemeral_containers(pod)


def new_view(pod: Object) -> PodView:
    return PodView({container["name"]: ContainerView() for container in all_containers(pod)})
