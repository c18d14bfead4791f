"""Starting one container: image, root file system, environment, config.json, runc."""

from __future__ import annotations

import platform
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pilotfish.node import cgroups, dev_folder, mounts
from pilotfish.node.backoff import successor_backoff_s
from pilotfish.node.container_run import ContainerRun, signal_number
from pilotfish.node.context import NodeContext
from pilotfish.node.environment import container_environment, references
from pilotfish.node.files.beneath import read_in_root
from pilotfish.node.images import host
from pilotfish.node.images.host_paths import host_path_mounts
from pilotfish.node.images.store import Image
from pilotfish.node.object_fetch import fetch
from pilotfish.node.oci.apparmor import apparmor_profile
from pilotfish.node.oci.capabilities import container_capabilities
from pilotfish.node.oci.devices import machine_devices
from pilotfish.node.oci.mounts import Mount, bind
from pilotfish.node.oci.seccomp import default_profile, load_profile, seccomp_profile
from pilotfish.node.oci.spec import SpecInput, make_spec
from pilotfish.node.oci.user import User, container_user
from pilotfish.node.paths import ContainerPaths, PodPaths
from pilotfish.node.pod_files import etc_mounts
from pilotfish.node.qos import oom_score_adj
from pilotfish.node.record import ContainerRecord
from pilotfish.node.sandbox import PodSandbox
from pilotfish.node.service_environment import service_environment
from pilotfish.node.termination_message import DEFAULT_PATH as TERMINATION_PATH
from pilotfish.node.volumes import bound
from pilotfish.node.volumes.nesting import nest
from pilotfish.objects.meta import Object, namespace_of

_MAX_USER_FILE_BYTES = 4 << 20  # of /etc/passwd and /etc/group


@dataclass(frozen=True)
class StartRequest:
    """All that a start needs to know.

    `volume_mounts` gives the container's mounts from its environment and a folder for sources.

    `target_pid`: the process whose pid namespace it shares, 0 for one of its own.
    """

    pod: Object
    container: Object
    image: Image
    sandbox: PodSandbox
    paths: PodPaths
    volume_mounts: Callable[[Mapping[str, str], Path], list[Mount]]
    previous: ContainerRecord | None
    on_exit: Callable[[], None]
    target_pid: int = 0


async def environment_of(node: NodeContext, request: StartRequest) -> dict[str, str]:
    pod, container = request.pod, request.container
    sources = await fetch(node, namespace_of(pod), references(container))
    links = pod.get("spec", {}).get("enableServiceLinks", True)
    services = service_environment(node.services(), namespace_of(pod), links)
    facts = node.facts_of(request.sandbox.pod_ips)
    return container_environment(pod, container, sources, services, facts)


def _read_inside(rootfs: Path, name: str) -> str:
    """A file of the image, "" when it has none."""
    return read_in_root(rootfs, name, _MAX_USER_FILE_BYTES).decode(errors="replace")


def _read_only_root(container: Object) -> bool:
    return bool((container.get("securityContext") or {}).get("readOnlyRootFilesystem"))


def _user_status(user: User) -> Object:
    groups = sorted({user.gid, *user.groups})
    return {"linux": {"uid": user.uid, "gid": user.gid, "supplementalGroups": groups}}


def _mounts(request: StartRequest, paths: ContainerPaths, volumes: list[Mount]) -> list[Mount]:
    taken = {mount.destination for mount in volumes}
    target = request.container.get("terminationMessagePath") or TERMINATION_PATH
    paths.termination_log.touch()
    paths.termination_log.chmod(0o666)  # whoever the container runs as may write it
    result = etc_mounts(request.paths, taken, _read_only_root(request.container))
    if request.image.is_host:
        result += [
            Mount(f"/{name}", "tmpfs", "tmpfs", ("nosuid", "nodev", "mode=755"))
            for name in host.FRESH_FOLDERS
            if f"/{name}" not in taken
        ]
    result.append(bind(target, str(paths.termination_log), read_only=False))
    own = [
        mount
        for mount in volumes
        if Path(mount.source).parent in (request.paths.volumes, paths.bound)
        and "rprivate" in mount.options  # what is mounted in another may come up on the machine
    ]
    return nest(volumes + result, own, paths.bound)


async def start_container(node: NodeContext, request: StartRequest) -> ContainerRun:
    """Start it, and return the run.

    Raises ContainerConfigError and OSError when there is nothing to start. A start that runc
    refuses is a run that has ended: with code 128, StartError and runc's words.
    """
    environment = await environment_of(node, request)
    attempt = request.previous.attempt + 1 if request.previous else 0
    paths = request.paths.container(request.container["name"], attempt)
    for folder in (paths.rootfs, paths.upper, paths.work):
        folder.mkdir(parents=True, exist_ok=True)
    paths.upper.chmod(0o755)
    bound.release(paths.bound)  # of a start that a kubelet did not live to see through
    try:
        volumes = request.volume_mounts(environment, paths.bound)
        if request.image.is_host:
            allowed = node.config.allowed_host_paths
            volumes += host_path_mounts(request.pod, allowed, paths.bound)
            read_only = _read_only_root(request.container)
            node.host_view.mount(paths.upper, paths.work, paths.rootfs, read_only)
        else:
            node.images.mount(request.image, paths.upper, paths.work, paths.rootfs)
        record, spec = _describe(node, request, paths, environment, volumes)
    except BaseException:
        mounts.unmount(paths.rootfs)
        bound.release(paths.bound)
        raise
    run = ContainerRun(node.runc, node.config, record, paths, request.container, request.on_exit)
    if request.image.config.stop_signal:
        run.stop_signal = signal_number(request.image.config.stop_signal)
    await run.start(spec)
    return run


def _describe(
    node: NodeContext,
    request: StartRequest,
    paths: ContainerPaths,
    environment: Mapping[str, str],
    volumes: list[Mount],
) -> tuple[ContainerRecord, Object]:
    """The run's record and its config.json. The root file system is mounted."""
    pod, container, image = request.pod, request.container, request.image
    user = container_user(
        pod,
        container,
        image.config.user,
        _read_inside(paths.rootfs, "etc/passwd"),
        _read_inside(paths.rootfs, "etc/group"),
    )
    record = ContainerRecord(
        container_id=secrets.token_hex(32),
        name=container["name"],
        attempt=request.previous.attempt + 1 if request.previous else 0,
        image=container["image"],
        image_id=image.id,
        user=_user_status(user),
        backoff_s=successor_backoff_s(request.previous),
    )
    context = container.get("securityContext") or {}
    dev_folder.make(paths.dev, machine_devices() if context.get("privileged") else ())
    spec = make_spec(
        SpecInput(
            pod=pod,
            container=container,
            image=image.config,
            rootfs=str(paths.rootfs),
            dev=str(paths.dev),
            sandbox=request.sandbox.oci,
            user=user,
            env=environment,
            mounts=tuple(_mounts(request, paths, volumes)),
            cgroup_path=cgroups.path_of(record.container_id),
            available_capabilities=node.capabilities,
            oom_score_adj=max(
                oom_score_adj(pod, container, node.facts.memory_bytes), node.oom_score_floor
            ),
            seccomp=_seccomp(node, pod, container),
            apparmor=apparmor_profile(pod, container)[1],
            cgroup_namespace=cgroups.is_unified(),
            target_pid=request.target_pid,
        )
    )
    return record, spec


def _seccomp(node: NodeContext, pod: Object, container: Object) -> Object | None:
    """The `linux.seccomp` of a container, None for unconfined. Raises ContainerConfigError."""
    kind, name = seccomp_profile(pod, container)
    if kind == "Localhost":
        return load_profile(node.config.seccomp_dir, name)
    if kind == "Unconfined":
        return None
    context = container.get("securityContext") or {}
    capabilities = container_capabilities(context, node.capabilities)
    return default_profile(capabilities, platform.machine())
