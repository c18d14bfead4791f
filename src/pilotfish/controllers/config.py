"""What the controllers must be told about the cluster: its ranges and its authority."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ControllerConfig:
    """The cluster's facts that no API object carries.

    Attributes:
        pod_cidr: the range that the nodes' Pod ranges are cut from.
        node_mask_size: the prefix length of one node's Pod range.
        load_balancer_pool: first and last address for Services of type LoadBalancer.
        ca_certificate: the cluster's CA in PEM, published as ConfigMap kube-root-ca.crt.
        node_grace_s: how long a node may be silent before it counts as lost.
    """

    pod_cidr: str = "10.244.0.0/16"
    node_mask_size: int = 24
    load_balancer_pool: tuple[str, str] = ("192.168.64.200", "192.168.64.250")
    ca_certificate: str = ""
    node_grace_s: float = 40.0
