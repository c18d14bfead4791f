"""What the controllers must be told about the cluster: its ranges and its authority."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ControllerConfig:
    """The cluster's facts that no API object carries.

    Attributes:
        pod_cidrs: the range that the nodes' Pod ranges are cut from, one of each address family.
        node_mask_sizes: the prefix length of one node's Pod range, of IPv4 and of IPv6.
        load_balancer_pools: first and last address for Services of type LoadBalancer, of each
            address family.
        ca_certificate: the cluster's CA in PEM, published as ConfigMap kube-root-ca.crt.
        node_grace_s: how long a node may be silent before it counts as lost.
    """

    pod_cidrs: tuple[str, ...] = ("10.244.0.0/16",)
    node_mask_sizes: tuple[int, int] = (24, 64)
    load_balancer_pools: tuple[tuple[str, str], ...] = (("192.168.64.200", "192.168.64.250"),)
    ca_certificate: str = ""
    node_grace_s: float = 40.0
