"""Where a connection enters the cluster: the one place at which it is reported.

A packet passes several interfaces, and perhaps several nodes, and is captured at each. It enters
where

- it comes in by a local Pod's link: the client is a local Pod,
- it comes in by another link from outside the cluster: the client is the host, or a stranger,
- it goes out from the node itself to one of the cluster's addresses: the client is a process of
  the node, such as the kubelet with its probes.

A Pod's connection to a NodePort of *another node* enters at that node, since it is that node that
chooses the endpoint.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

# Network and mask as numbers, and the length of addresses, bytes.
_Network = tuple[int, int, int]


@dataclass
class Doorway:
    """What is known of a node's place in the cluster. Addresses have 4 or 16 bytes.

    Attributes:
        pod_links: indexes of the interfaces that lead to local Pods.
        outer_links: indexes of those that lead to the other nodes and to the world.
        own: the addresses of this node.
        nodes: the addresses of all nodes.
        services: the addresses of Services.
        node_ports: the ports at which nodes answer for Services.
    """

    pod_links: Collection[int] = ()
    outer_links: Collection[int] = ()
    own: Collection[bytes] = ()
    nodes: Collection[bytes] = ()
    services: Collection[bytes] = ()
    node_ports: Collection[int] = ()
    _pod_networks: list[_Network] = field(default_factory=list)

    def set_pod_networks(self, networks: Iterable[tuple[bytes, int]]) -> None:
        """The ranges of Pod addresses: network address and length of its prefix."""
        self._pod_networks = []
        for address, length in networks:
            bits = 8 * len(address)
            mask = (1 << bits) - (1 << (bits - length))
            self._pod_networks.append((int.from_bytes(address, "big") & mask, mask, len(address)))

    def enters(
        self, source: bytes, target: bytes, target_port: int, interface: int, outgoing: bool
    ) -> bool:
        """Whether a connection enters here whose first packet is this one."""
        if outgoing:
            if source not in self.own or target in self.own:
                return False
            return interface in self.pod_links or (
                interface in self.outer_links and self._is_inside(target)
            )
        if interface in self.pod_links:
            return not self._is_node_port_elsewhere(target, target_port)
        if interface not in self.outer_links:
            return False
        if self._is_pod(source):
            return target in self.own and target_port in self.node_ports
        return source not in self.nodes

    def _is_node_port_elsewhere(self, target: bytes, port: int) -> bool:
        return port in self.node_ports and target in self.nodes and target not in self.own

    def _is_inside(self, address: bytes) -> bool:
        return address in self.nodes or address in self.services or self._is_pod(address)

    def _is_pod(self, address: bytes) -> bool:
        number, length = int.from_bytes(address, "big"), len(address)
        return any(
            number & mask == network and length == size
            for network, mask, size in self._pod_networks
        )
