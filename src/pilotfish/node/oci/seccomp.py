"""Which system calls a container may make: its seccomp profile, as config.json has it.

https://kubernetes.io/docs/tutorials/security/seccomp/. A container that names no profile gets
RuntimeDefault, as with the kubelet's `--seccomp-default`. A privileged one is never confined.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pilotfish.node.errors import ContainerConfigError
from pilotfish.node.files.beneath import find, opened, read_regular
from pilotfish.node.oci.syscalls import BY_CAPABILITY, BY_MACHINE, EVERYWHERE
from pilotfish.objects.meta import Object

_ARCHITECTURES: Final = {
    # Without x32, whose calls then end the process: kernels are built without it, and libseccomp
    # needs 5 ms of processor time for each of these, for every container.
    "x86_64": ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86"),
    "aarch64": ("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"),
    "ppc64le": ("SCMP_ARCH_PPC64LE",),
    "riscv64": ("SCMP_ARCH_RISCV64",),
    "s390x": ("SCMP_ARCH_S390X", "SCMP_ARCH_S390"),
}
_MAX_PROFILE_BYTES: Final = 1 << 20
_ALLOW: Final = "SCMP_ACT_ALLOW"
_ERRNO: Final = "SCMP_ACT_ERRNO"

# The flags of clone(2) that make namespaces: NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID,
# NEWNET.
_CLONE_NAMESPACES: Final = 0x7E020000
# The values that personality(2) may set: Linux, PER_LINUX32, UNAME26 with each, and "tell me".
_PERSONALITIES: Final = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
_AF_VSOCK: Final = 40  # a way to the hypervisor that knows no network namespaces


def seccomp_profile(pod: Object, container: Object) -> tuple[str, str]:
    """(type, localhostProfile) that holds for the container; its own before the Pod's."""
    own = container.get("securityContext") or {}
    if own.get("privileged"):
        return "Unconfined", ""
    of_pod = pod.get("spec", {}).get("securityContext") or {}
    profile = own.get("seccompProfile") or of_pod.get("seccompProfile") or {}
    return profile.get("type", "RuntimeDefault"), profile.get("localhostProfile", "")


def load_profile(folder: Path, name: str) -> Object:
    """A Localhost profile: a file in the folder, in the form of config.json's `linux.seccomp`.

    Raises ContainerConfigError in the runtime's words; the container is then not started.
    """
    file = folder / name
    try:
        profile = json.loads(_read(folder, name))
        if not isinstance(profile, dict) or "defaultAction" not in profile:
            raise ValueError("it has no defaultAction")
    except OSError as error:
        why = f"open {file}: {(error.strerror or str(error)).lower()}"
        raise _unusable(file, why) from error
    except (ValueError, RecursionError) as error:
        raise _unusable(file, str(error)) from error
    return profile


def _read(folder: Path, name: str) -> bytes:
    """The bytes of the file, which is found once, below the folder."""
    with opened(folder) as base:
        text = read_regular(find(base, name), _MAX_PROFILE_BYTES + 1)
    if len(text) > _MAX_PROFILE_BYTES:
        raise ValueError(f"it has more than {_MAX_PROFILE_BYTES} bytes")
    return text


def _unusable(file: Path, why: str) -> ContainerConfigError:
    message = (
        "failed to generate container spec: failed to generate seccomp spec opts: "
        f'cannot load seccomp profile "{file}": {why}'
    )
    return ContainerConfigError(message, reason="CreateContainerError")


def default_profile(capabilities: Iterable[str], machine: str) -> Object:
    """RuntimeDefault, for a process with these capabilities on a machine (uname(2)'s word)."""
    held = set(capabilities)
    names = {*EVERYWHERE, *BY_MACHINE.get(machine, ())}
    for capability, more in BY_CAPABILITY.items():
        if capability in held:
            names.update(more)
    personas = [_argument(0, persona, "SCMP_CMP_EQ") for persona in _PERSONALITIES]
    rules = [_rule(sorted(names)), *(_rule(["personality"], [persona]) for persona in personas)]
    # Two rules for "not equal": libseccomp before 2.5.5 mixes up NE with other rules.
    rules.append(_rule(["socket"], [_argument(0, _AF_VSOCK, "SCMP_CMP_LT")]))
    rules.append(_rule(["socket"], [_argument(0, _AF_VSOCK, "SCMP_CMP_GT")]))
    if "CAP_SYS_ADMIN" not in held:
        flags = 1 if machine == "s390x" else 0  # where clone's arguments come in another order
        no_namespaces = _argument(flags, _CLONE_NAMESPACES, "SCMP_CMP_MASKED_EQ")
        rules.append(_rule(["clone"], [no_namespaces]))
        # Its flags are in memory, where a filter cannot look: programs then fall back to clone.
        rules.append({"names": ["clone3"], "action": _ERRNO, "errnoRet": errno.ENOSYS})
    return {
        "defaultAction": _ERRNO,
        "defaultErrnoRet": errno.EPERM,
        "architectures": list(_ARCHITECTURES.get(machine, ())),
        "syscalls": rules,
    }


def _rule(names: list[str], args: list[Object] | None = None) -> Object:
    rule: Object = {"names": names, "action": _ALLOW}
    if args:
        rule["args"] = args
    return rule


def _argument(index: int, value: int, operator: str) -> Object:
    return {"index": index, "value": value, "op": operator}
