"""A Pod's names for itself: its hostname, its /etc/hosts."""

from __future__ import annotations

from pilotfish.objects.meta import Object

_MAX_HOSTNAME = 63  # RFC 1123 label; Linux allows 64


def pod_hostname(pod: Object, node_name: str) -> str:
    spec = pod.get("spec", {})
    if spec.get("hostNetwork"):
        return node_name
    name = str(spec.get("hostname") or pod["metadata"]["name"])
    return name[:_MAX_HOSTNAME].rstrip("-.")


def pod_domain(pod: Object, cluster_domain: str) -> str:
    """SUBDOMAIN.NAMESPACE.svc.DOMAIN for Pods that have a subdomain, else ""."""
    subdomain = pod.get("spec", {}).get("subdomain")
    if not subdomain:
        return ""
    return f"{subdomain}.{pod['metadata'].get('namespace', 'default')}.svc.{cluster_domain}"


def _alias_lines(pod: Object) -> str:
    aliases = pod.get("spec", {}).get("hostAliases") or []
    if not aliases:
        return ""
    lines = ["", "# Entries added by HostAliases."]
    lines += ["\t".join([alias["ip"], *(alias.get("hostnames") or [])]) for alias in aliases]
    return "\n".join(lines) + "\n"


def hosts_file(
    pod: Object, pod_ips: list[str], node_name: str, cluster_domain: str, machine_hosts: str
) -> str:
    """The content of /etc/hosts; hostNetwork Pods get the machine's own plus their aliases."""
    if pod.get("spec", {}).get("hostNetwork"):
        head = "# Kubernetes-managed hosts file (host network).\n"
        return head + machine_hosts.rstrip("\n") + "\n" + _alias_lines(pod)
    lines = [
        "# Kubernetes-managed hosts file.",
        "127.0.0.1\tlocalhost",
        "::1\tlocalhost ip6-localhost ip6-loopback",
        "fe00::0\tip6-localnet",
        "fe00::0\tip6-mcastprefix",
        "fe00::1\tip6-allnodes",
        "fe00::2\tip6-allrouters",
    ]
    hostname, domain = pod_hostname(pod, node_name), pod_domain(pod, cluster_domain)
    names = f"{hostname}.{domain}\t{hostname}" if domain else hostname
    lines += [f"{ip}\t{names}" for ip in pod_ips]
    return "\n".join(lines) + "\n" + _alias_lines(pod)
