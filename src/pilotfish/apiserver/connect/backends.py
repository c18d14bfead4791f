"""Where a proxy request goes: the names `pod:port`, `https:service:name`, `node:port`, resolved.

Source: "Access Services Running on Clusters" in the Kubernetes documentation; the refusals are
kube-apiserver's.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from pilotfish.apiserver.connect.kubelet import KubeletAddress
from pilotfish.apiserver.errors import StatusError, bad_request
from pilotfish.objects.meta import Object, name_of
from pilotfish.objects.numbers import whole_number

# Proxy and tap on a node serve with the kubelet's certificate, and ask for the same one of ours.
PROXY_PORT = 10249
TAP_PORT = 10251


@dataclass(frozen=True, slots=True)
class ProxyName:
    """`[scheme:]name[:port]`; scheme and port are "" when they are not given."""

    scheme: str
    name: str
    port: str


@dataclass(frozen=True, slots=True)
class Backend:
    """Who answers a request; `kubelet` when it wants the API server's client certificate."""

    scheme: str
    host: str
    port: int
    kubelet: bool = False

    @property
    def authority(self) -> str:
        """`host:port` as it stands in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"


def parse_proxy_name(text: str, resource: str) -> ProxyName:
    """Takes the name in a proxy path apart.

    Raises:
        StatusError: 400 for another form.
    """
    match text.split(":"):
        case [name] if name:
            return ProxyName("", name, "")
        case [name, port] if name:
            return ProxyName("", name, port)
        case ["" | "http" | "https" as scheme, name, port] if name:
            return ProxyName(scheme, name, port)
    raise bad_request(f'invalid {resource} request "{text}"')


def pod_backend(pod: Object, asked: ProxyName, node: Object | None = None) -> Backend:
    """The Pod's own address, at the port asked for or the first that a container declares.

    A status is what somebody wrote: an address that the Pod's node cannot have given to it leads
    to the API server's machine, or to others.

    Args:
        node: the Pod's, where it is known.

    Raises:
        StatusError: 400, when the Pod has no address of its own or the port is no number.
    """
    ip = (pod.get("status") or {}).get("podIP", "")
    _check_address(ip)
    if node is not None and not _gives(node, pod, ip):
        raise _not_allowed()
    text = asked.port or _first_declared_port(pod)
    port = whole_number(text)
    if port is None or not 1 <= port <= 65535:
        raise bad_request(f'invalid pod request "{asked.name}:{text}"')
    return Backend(asked.scheme or "http", ip, port)


def _check_address(address: str) -> None:
    """Refuse what leads to this machine itself or to no single machine (proxyutil.IsProxyableIP).

    Raises:
        StatusError: 400.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        raise _not_allowed() from None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_unspecified or ip.is_loopback or ip.is_link_local or ip.is_multicast:
        raise _not_allowed()


def _gives(node: Object, pod: Object, address: str) -> bool:
    """Whether the Pod can have this address from its node; so if the node does not say."""
    if pod["spec"].get("hostNetwork"):
        stated = (node.get("status") or {}).get("addresses") or ()
        return not stated or address in {each["address"] for each in stated}
    spec = node.get("spec") or {}
    ranges = spec.get("podCIDRs") or [cidr for cidr in (spec.get("podCIDR"),) if cidr]
    return not ranges or any(ip_address(address) in ip_network(each) for each in ranges)


def _not_allowed() -> StatusError:
    return bad_request("address not allowed")


def _first_declared_port(pod: Object) -> str:
    for container in pod["spec"].get("containers") or ():
        for port in container.get("ports") or ():
            return str(port["containerPort"])
    return "80"


def service_backend(service: Object, slices: Iterable[Object], asked: ProxyName) -> Backend:
    """A ready endpoint of a Service, at random, from its EndpointSlices.

    The port is a name or a number of the Service's ports; none means the port without a name.

    Raises:
        StatusError: 503, when the Service has no such port or no ready endpoint; 400, when the
            endpoint's address leads nowhere but here.
    """
    name = name_of(service)
    port_name = asked.port
    number = whole_number(port_name)
    if number is not None:
        ports = service["spec"].get("ports") or ()
        found = [port for port in ports if port["port"] == number]
        if not found:
            raise unavailable(f'no service port {port_name} found for service "{name}"')
        port_name = found[0].get("name", "")
    endpoints = [
        (address, int(port["port"]))
        for slice_ in slices
        for port in slice_.get("ports") or ()
        if (port.get("name") or "") == port_name and port.get("port")
        for endpoint in slice_.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready") is not False
        for address in endpoint["addresses"][:1]
    ]
    if not endpoints:
        raise unavailable(f'no endpoints available for service "{name}"')
    host, port = random.choice(endpoints)
    _check_address(host)
    return Backend(asked.scheme or "http", host, port)


def node_backend(address: KubeletAddress, asked: ProxyName) -> Backend:
    """The kubelet, or another port of the Node.

    Raises:
        StatusError: 400, when the port is no number, or the address leads nowhere but here.
    """
    if not asked.port:
        return Backend("https", address.host, address.port, kubelet=True)
    port = whole_number(asked.port)
    if port is None or not 1 <= port <= 65535:
        raise bad_request(f'invalid node request "{asked.name}:{asked.port}"')
    kubelet = port in (address.port, PROXY_PORT, TAP_PORT)
    if not kubelet:  # a kubelet has a certificate to show
        _check_address(address.host)
    return Backend(asked.scheme or ("https" if kubelet else "http"), address.host, port, kubelet)


def unavailable(message: str) -> StatusError:
    """503: nobody is there who could answer."""
    return StatusError(503, "ServiceUnavailable", message)
