"""The config.json of a container: one pure function from what is known to the OCI document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pilotfish.node.errors import ContainerConfigError
from pilotfish.node.expansion import expand_all
from pilotfish.node.oci.capabilities import container_capabilities
from pilotfish.node.oci.mounts import Mount, base_mounts
from pilotfish.node.oci.resources import linux_resources
from pilotfish.node.oci.user import User
from pilotfish.objects.meta import Object

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# containerd's defaults: what /proc and /sys would tell or allow about the machine.
_MASKED_PATHS = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
]
_READONLY_PATHS = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
]


@dataclass(frozen=True)
class ImageConfig:
    """What an image says about its containers (the `config` of an OCI image configuration)."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    user: str = ""
    working_dir: str = ""
    stop_signal: str = ""


@dataclass(frozen=True)
class Sandbox:
    """The Pod's shared namespaces, as paths; an ipc of "" is the machine's own."""

    network: str
    ipc: str
    uts: str
    hostname: str
    shm: str
    sysctls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SpecInput:
    pod: Object
    container: Object
    image: ImageConfig
    rootfs: str
    dev: str  # the folder that becomes its /dev
    sandbox: Sandbox
    user: User
    env: Mapping[str, str]
    mounts: tuple[Mount, ...]
    cgroup_path: str
    available_capabilities: tuple[str, ...]
    oom_score_adj: int
    cgroup_namespace: bool = False  # with cgroup v2 the container sees its own part only
    seccomp: Object | None = None  # linux.seccomp; None for unconfined
    apparmor: str = ""  # the name of a loaded profile
    target_pid: int = 0  # whose pid namespace it shares; 0 for one of its own


def command_line(container: Object, image: ImageConfig, env: Mapping[str, str]) -> list[str]:
    """Kubernetes' rules for command and args against ENTRYPOINT and CMD.

    https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/:
    command replaces both, args alone replaces CMD.
    """
    command = expand_all(container.get("command") or [], env)
    args = expand_all(container.get("args") or [], env)
    if command:
        result = command + args
    elif args:
        result = [*image.entrypoint, *args]
    else:
        result = [*image.entrypoint, *image.cmd]
    if not result:
        raise ContainerConfigError("no command specified", reason="CreateContainerError")
    return result


def process_env(image: ImageConfig, env: Mapping[str, str], hostname: str, tty: bool) -> list[str]:
    """The image's variables below the container's; PATH and HOSTNAME are always there."""
    merged = {"PATH": DEFAULT_PATH, "HOSTNAME": hostname}
    if tty:
        merged["TERM"] = "xterm"
    for entry in image.env:
        name, _, value = entry.partition("=")
        merged[name] = value
    merged.update(env)
    return [f"{name}={value}" for name, value in merged.items()]


def _namespaces(pod: Object, sandbox: Sandbox, cgroup: bool, target_pid: int) -> list[Object]:
    spec = pod.get("spec", {})
    result: list[Object] = [{"type": "mount"}]
    if cgroup:
        result.append({"type": "cgroup"})
    if target_pid:
        result.append({"type": "pid", "path": f"/proc/{target_pid}/ns/pid"})
    elif not spec.get("hostPID"):
        result.append({"type": "pid"})
    for kind, path in (
        ("network", sandbox.network),
        ("ipc", sandbox.ipc),
        ("uts", sandbox.uts),
    ):
        if path:
            result.append({"type": kind, "path": path})
    return result


def _process(given: SpecInput, privileged: bool) -> Object:
    container, context = given.container, given.container.get("securityContext") or {}
    capabilities = container_capabilities(context, given.available_capabilities)
    user: Object = {"uid": given.user.uid, "gid": given.user.gid}
    if given.user.groups:
        user["additionalGids"] = list(given.user.groups)
    tty = bool(container.get("tty"))
    no_new_privileges = context.get("allowPrivilegeEscalation") is False and not privileged
    process: Object = {
        "terminal": tty,
        "user": user,
        "args": command_line(container, given.image, given.env),
        "env": process_env(given.image, given.env, given.sandbox.hostname, tty),
        "cwd": container.get("workingDir") or given.image.working_dir or "/",
        "capabilities": {
            "bounding": capabilities,
            "effective": capabilities,
            "permitted": capabilities,
        },
        "noNewPrivileges": no_new_privileges,
        "oomScoreAdj": given.oom_score_adj,
    }
    if given.apparmor:
        process["apparmorProfile"] = given.apparmor
    return process


def make_spec(given: SpecInput) -> Object:
    """The whole config.json."""
    context = given.container.get("securityContext") or {}
    privileged = bool(context.get("privileged"))
    linux: Object = {
        "namespaces": _namespaces(
            given.pod,
            given.sandbox,
            given.cgroup_namespace and not privileged,
            given.target_pid,
        ),
        "resources": linux_resources(given.container, privileged),
        "cgroupsPath": given.cgroup_path,
    }
    if given.seccomp is not None:
        linux["seccomp"] = given.seccomp
    if given.sandbox.sysctls:
        linux["sysctl"] = dict(given.sandbox.sysctls)
    if not privileged and context.get("procMount") != "Unmasked":
        linux["maskedPaths"] = _MASKED_PATHS
        linux["readonlyPaths"] = _READONLY_PATHS
    mounts = [*base_mounts(given.sandbox.shm, given.dev, privileged), *given.mounts]
    spec: Object = {
        "ociVersion": "1.0.2",
        "process": _process(given, privileged),
        "root": {"path": given.rootfs, "readonly": bool(context.get("readOnlyRootFilesystem"))},
        "hostname": given.sandbox.hostname,
        "mounts": [mount.as_oci() for mount in mounts],
        "linux": linux,
    }
    return spec
