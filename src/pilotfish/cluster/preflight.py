"""What a machine needs before a cluster can start: checked first, each with the fix if missing."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import socket
import struct
import sys
from pathlib import Path

from pilotfish.client.invoker import person
from pilotfish.cluster.errors import EXIT_NOT_READY, ClusterError
from pilotfish.node.cgroup_controllers import ControllersMissing, enable_controllers
from pilotfish.node.cgroups import ROOT

# Program → the package of Debian and Ubuntu that has it.
PROGRAMS = {"runc": "runc"}
# Nothing here runs these; people do. Program → its package, and what it is for.
HELPFUL_PROGRAMS = {
    "kubectl": ("kubernetes-client", "nobody can talk to the cluster"),
    "nft": ("nftables", "the nodes' tables cannot be looked at"),
}
# Programs of the system live here, which a plain user's or a cron job's PATH may not name.
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_FIRST_PORT = 6443
_PORTS_TRIED = 100

_NETLINK_NETFILTER = 12
_NLMSG_ERROR = 2
_NFNL_SUBSYS_NFTABLES = 10
_NFT_MSG_GETGEN = 16
_NLM_F_REQUEST = 1


def check_machine() -> None:
    """Raise ClusterError (EXIT_NOT_READY) unless this machine can run a cluster."""
    check_root("start a cluster")
    check_programs()
    _check_overlay(Path("/proc/filesystems"))
    _check_nf_tables()
    check_cgroups()


def check_root(purpose: str) -> None:
    """Raise ClusterError unless we are root."""
    if os.geteuid() != 0:
        raise ClusterError(
            f"root is needed to {purpose}",
            f"running as user id {os.geteuid()}",
            f"run: {as_root()}",
            EXIT_NOT_READY,
        )


def as_root() -> str:
    """This command line as a user types it to run it as root."""
    program, *arguments = sys.argv
    # sudo looks for programs on a path of its own, and asks for others by their full path.
    found = shutil.which(Path(program).name, path=_SYSTEM_PATH)
    words = [Path(program).name if found else str(Path(program).absolute()), *arguments]
    # Of a user's environment, sudo keeps only what -E asks for.
    sudo = "sudo -E" if "KUBECONFIG" in os.environ else "sudo"
    return f"{sudo} {shlex.join(words)}"


def check_programs() -> None:
    """Raise ClusterError naming every program that is not there, with the command to install."""
    path = program_path()
    missing = [program for program in PROGRAMS if shutil.which(program, path=path) is None]
    if missing:
        packages = " ".join(PROGRAMS[program] for program in missing)
        raise ClusterError(
            f"missing {'program' if len(missing) == 1 else 'programs'}: {', '.join(missing)}",
            "not found on PATH",
            f"install with: {_install(packages)}",
            EXIT_NOT_READY,
        )


def notes() -> list[str]:
    """What is missing but not needed, each with the command that installs it."""
    path = program_path()
    return [
        f"{program} is not installed, so {purpose}; install it with: {_install(package)}"
        for program, (package, purpose) in HELPFUL_PROGRAMS.items()
        if shutil.which(program, path=path) is None
    ]


def _install(packages: str) -> str:
    """The command that installs packages of Debian, as whoever runs us types it."""
    sudo = "sudo " if person(os.environ) else ""
    return f"{sudo}apt-get install -y {packages}"


def program_path() -> str:
    """PATH for the cluster's processes, which run runc themselves: ours and the system's."""
    return (os.environ.get("PATH", "") + os.pathsep + _SYSTEM_PATH).strip(os.pathsep)


def _check_overlay(filesystems: Path) -> None:
    if any(line.split()[-1] == "overlay" for line in filesystems.read_text().splitlines()):
        return
    # Often a module that nobody has loaded yet; the first mount would load it.
    if any(Path("/lib/modules", os.uname().release).rglob("overlay.ko*")):
        return
    raise ClusterError(
        "the kernel has no overlay file system",
        str(filesystems),
        "load it with: modprobe overlay",
        EXIT_NOT_READY,
    )


def _check_nf_tables() -> None:
    """Ask the kernel for its nftables generation; the question itself loads the module."""
    try:
        with socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER
        ) as netlink:
            netlink.settimeout(2.0)
            kind = _NFNL_SUBSYS_NFTABLES << 8 | _NFT_MSG_GETGEN
            body = struct.pack("=BBH", socket.AF_UNSPEC, 0, 0)
            netlink.send(struct.pack("=IHHII", 16 + len(body), kind, _NLM_F_REQUEST, 1, 0) + body)
            answer = netlink.recv(4096)
        code = 0
        if struct.unpack_from("=IH", answer)[1] == _NLMSG_ERROR:
            code = -struct.unpack_from("=i", answer, 16)[0]
    except OSError as error:
        code = error.errno or errno.EIO
    if code:
        raise ClusterError(
            f"the kernel does not answer for nftables ({os.strerror(code)})",
            f"kernel {os.uname().release}",
            "load it with: modprobe nf_tables",
            EXIT_NOT_READY,
        )


def check_cgroups(root: Path = ROOT) -> None:
    """Let containers have limits; raise ClusterError when they cannot."""
    try:
        enable_controllers(root)
    except ControllersMissing as error:
        names = ", ".join(error.names)
        raise ClusterError(
            f"cgroup v2 gives no Pod a limit: no controller {names}",
            str(error),
            "in a container, run it with --privileged and --cgroupns=private; "
            "on a machine, let systemd delegate the controllers (Delegate=yes)",
            EXIT_NOT_READY,
        ) from error


def has_ipv6() -> bool:
    """Whether the kernel knows IPv6 at all."""
    return Path("/proc/sys/net/ipv6/conf").is_dir()


def check_ipv6() -> None:
    """Raise ClusterError unless clusters of IPv6 can be made."""
    if not has_ipv6():
        raise ClusterError(
            "the kernel has no IPv6",
            "--ip-family",
            "load the module with: modprobe ipv6, or start the cluster with --ip-family ipv4",
            EXIT_NOT_READY,
        )


def choose_port(taken: set[int]) -> int:
    """The first port from 6443 on that neither a cluster (`taken`) nor anyone here listens on."""
    for port in range(_FIRST_PORT, _FIRST_PORT + _PORTS_TRIED):
        if port not in taken and port_free(port):
            return port
    raise ClusterError(
        "no free port for the API server",
        f"127.0.0.1:{_FIRST_PORT}-{_FIRST_PORT + _PORTS_TRIED - 1}",
        "stop what listens there (ss -ltnp shows it)",
    )


def port_free(port: int) -> bool:
    """Whether 127.0.0.1:port can be listened on."""
    with socket.socket() as probe:
        # As the server does: connections of the last cluster in TIME_WAIT are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
