"""Isolation that is asked for and cannot be given: such a Pod fails with the kubelet's words."""

from __future__ import annotations

from pilotfish.node.admission import Rejection
from pilotfish.node.oci.apparmor import apparmor_enabled, apparmor_profile
from pilotfish.node.record import all_containers
from pilotfish.objects.meta import Object

# https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/: namespaced, and harmless
# to other Pods. The value names the namespace that has it.
_SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced": "ipc",
    "net.ipv4.ip_local_port_range": "net",
    "net.ipv4.ip_local_reserved_ports": "net",
    "net.ipv4.ip_unprivileged_port_start": "net",
    "net.ipv4.ping_group_range": "net",
    "net.ipv4.tcp_fin_timeout": "net",
    "net.ipv4.tcp_keepalive_intvl": "net",
    "net.ipv4.tcp_keepalive_probes": "net",
    "net.ipv4.tcp_keepalive_time": "net",
    "net.ipv4.tcp_rmem": "net",
    "net.ipv4.tcp_syncookies": "net",
    "net.ipv4.tcp_wmem": "net",
}
_SHARED_BY = {"ipc": "hostIPC", "net": "hostNetwork"}


def ungiven_isolation(pod: Object) -> list[str]:
    """Texts of Warning Events: isolation that the Pod asks for, and runs without."""
    spec = pod.get("spec", {})
    contexts = [spec, *all_containers(pod)]
    told = []
    if spec.get("shareProcessNamespace"):
        told.append("shareProcessNamespace is not given here: containers see their own processes")
    if any((one.get("securityContext") or {}).get("seLinuxOptions") for one in contexts):
        told.append("seLinuxOptions are not given here: containers get no SELinux label")
    return told


def dotted(name: str) -> str:
    """A sysctl's name with dots between its parts; sysctl.d(5): the first separator tells.

    In `net/ipv4/conf/eth0.1/x` a dot belongs to a part, and is written as a slash.
    """
    first = next((letter for letter in name if letter in "./"), ".")
    if first == ".":
        return name
    return name.translate(str.maketrans("./", "/."))


def missing_isolation(pod: Object, has_apparmor: bool | None = None) -> Rejection | None:
    """Why the Pod may not run here, None when it may. `has_apparmor`: None looks at the machine."""
    system = (pod.get("spec", {}).get("os") or {}).get("name", "linux")
    if system != "linux":
        why = "Failed to admit pod as the OS field doesn't match node OS"
        return Rejection("PodOSNotSupported", f"Pod was rejected: {why}")
    for entry in _sysctls(pod):
        if why := _forbidden(dotted(entry.get("name", "")), pod.get("spec", {})):
            return Rejection("SysctlForbidden", f"Pod was rejected: forbidden sysctl: {why}")
    kinds = {apparmor_profile(pod, container)[0] for container in all_containers(pod)}
    if not kinds & {"Localhost", "RuntimeDefault"}:
        return None
    if not (apparmor_enabled() if has_apparmor is None else has_apparmor):
        why = "AppArmor is not enabled on the host"
    elif "RuntimeDefault" in kinds:
        why = "there is no RuntimeDefault profile here; name one that is loaded (Localhost)"
    else:
        return None
    return Rejection("AppArmor", f"Pod was rejected: Cannot enforce AppArmor: {why}")


def _sysctls(pod: Object) -> list[Object]:
    return (pod.get("spec", {}).get("securityContext") or {}).get("sysctls") or []


def _forbidden(name: str, spec: Object) -> str:
    namespace = _SAFE_SYSCTLS.get(name)
    if namespace is None:
        return f'"{name}" not allowlisted'
    if spec.get(_SHARED_BY[namespace]):
        return f'"{name}" not allowed with host {namespace} enabled'
    return ""
