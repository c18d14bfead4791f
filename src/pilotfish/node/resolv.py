"""A Pod's /etc/resolv.conf: dnsPolicy and dnsConfig.

https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pilotfish.objects.meta import Object

# The limits of glibc that Kubernetes validates and truncates to.
_MAX_NAMESERVERS = 3
_MAX_SEARCHES = 32


@dataclass(frozen=True)
class ResolvConf:
    nameservers: list[str] = field(default_factory=list)
    searches: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)

    def render(self) -> str:
        lines = []
        if self.searches:
            lines.append("search " + " ".join(self.searches))
        lines += [f"nameserver {server}" for server in self.nameservers]
        if self.options:
            lines.append("options " + " ".join(self.options))
        return "".join(line + "\n" for line in lines)


def parse_resolv_conf(text: str) -> ResolvConf:
    nameservers: list[str] = []
    searches: list[str] = []
    options: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith(("#", ";")):
            continue
        if words[0] == "nameserver" and len(words) > 1:
            nameservers.append(words[1])
        elif words[0] in ("search", "domain"):
            searches = words[1:]  # the last one wins, resolv.conf(5)
        elif words[0] == "options":
            options = words[1:]
    return ResolvConf(nameservers, searches, options)


def _merged_options(base: list[str], extra: list[Object]) -> list[str]:
    options = {option.partition(":")[0]: option for option in base}
    for option in extra:
        value = option.get("value")
        options[option["name"]] = f"{option['name']}:{value}" if value else option["name"]
    return list(options.values())


def pod_resolv_conf(
    pod: Object, host: ResolvConf, cluster_dns: str, cluster_domain: str
) -> ResolvConf:
    """What the Pod's resolv.conf holds; `host` is the machine's own."""
    spec = pod.get("spec", {})
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    if policy == "ClusterFirst" and spec.get("hostNetwork"):
        policy = "Default"
    if policy in ("ClusterFirst", "ClusterFirstWithHostNet"):
        namespace = pod["metadata"].get("namespace", "default")
        own = [f"{namespace}.svc.{cluster_domain}", f"svc.{cluster_domain}", cluster_domain]
        base = ResolvConf([cluster_dns], [*own, *host.searches], ["ndots:5"])
    elif policy == "None":
        base = ResolvConf()
    else:
        base = host
    config = spec.get("dnsConfig") or {}
    nameservers = [*base.nameservers, *(config.get("nameservers") or [])]
    searches = [*base.searches, *(config.get("searches") or [])]
    return ResolvConf(
        list(dict.fromkeys(nameservers))[:_MAX_NAMESERVERS],
        list(dict.fromkeys(searches))[:_MAX_SEARCHES],
        _merged_options(base.options, config.get("options") or []),
    )
