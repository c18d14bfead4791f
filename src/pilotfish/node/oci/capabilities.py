"""Linux capabilities of a container: containerd's defaults, plus add, minus drop."""

from __future__ import annotations

from pilotfish.objects.meta import Object

DEFAULT = (
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
)

# capabilities(7), in the order of their numbers.
# fmt: off
ALL = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
    "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
    "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
    "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)
# fmt: on


def _full_name(name: str) -> str:
    name = name.upper()
    return name if name.startswith("CAP_") else f"CAP_{name}"


def container_capabilities(security_context: Object, available: tuple[str, ...]) -> list[str]:
    """The capability set of the process, sorted.

    `available` are those that this machine can give (the node's own bounding set): a privileged
    container gets all of them. Names that Linux does not know are left out, as containerd does.
    """
    if security_context.get("privileged"):
        return sorted(available)
    wanted = set(DEFAULT)
    asked = security_context.get("capabilities") or {}
    add = {_full_name(name) for name in asked.get("add") or []}
    drop = {_full_name(name) for name in asked.get("drop") or []}
    if "CAP_ALL" in drop:
        wanted = set()
    if "CAP_ALL" in add:
        wanted = set(ALL)
    wanted = (wanted | add) - drop
    return sorted(wanted & set(available))


def bounding_set(proc_status: str) -> tuple[str, ...]:
    """The names in CapBnd of a /proc/PID/status: what this process may hand on."""
    for line in proc_status.splitlines():
        if line.startswith("CapBnd:"):
            mask = int(line.split()[1], 16)
            return tuple(name for bit, name in enumerate(ALL) if mask >> bit & 1)
    raise ValueError("no CapBnd line in /proc status")
