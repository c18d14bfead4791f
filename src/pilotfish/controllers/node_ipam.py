"""Node IPAM: each node's part of the cluster's Pod ranges, in `spec.podCIDRs`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator

from pilotfish.controllers.controller import Context, Controller
from pilotfish.objects.meta import Object, name_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def choose_pod_cidr(node: str, cluster: str, mask_size: int, taken: Iterable[str]) -> str | None:
    """The range for a node: that of its number (`node-2` the second) or, if taken, the first free.

    Args:
        node: the node's name.
        cluster: the cluster's Pod range.
        mask_size: the prefix length of one node's range.
        taken: the ranges of other nodes.

    Returns:
        The range, or None when the cluster's is used up.
    """
    whole = ipaddress.ip_network(cluster)
    used = [ipaddress.ip_network(text) for text in taken]
    number = re.search(r"-(\d+)$", node)
    if number is not None:
        own = _nth(whole, mask_size, int(number[1]) - 1)
        if own is not None and _is_free(own, used):
            return str(own)
    free = (network for network in _parts(whole, mask_size) if _is_free(network, used))
    return next((str(network) for network in free), None)


def _nth(whole: Network, mask_size: int, index: int) -> Network | None:
    if not 0 <= index < 1 << (mask_size - whole.prefixlen):
        return None
    first = int(whole.network_address) + (index << (whole.max_prefixlen - mask_size))
    return ipaddress.ip_network((first, mask_size))


def _parts(whole: Network, mask_size: int) -> Iterator[Network]:
    yield from whole.subnets(new_prefix=mask_size)


def _is_free(network: Network, used: Iterable[Network]) -> bool:
    return not any(network.version == other.version and network.overlaps(other) for other in used)


class NodeIpamController(Controller):
    """Gives every node a Pod range."""

    name = "node-ipam-controller"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._nodes = self.informer("nodes")
        self._given: dict[str, list[str]] = {}
        self._nodes.on_change(self._node_changed)

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            spec = new.get("spec") or {}
            if spec.get("podCIDR"):
                self._given[name_of(new)] = spec.get("podCIDRs") or [spec["podCIDR"]]
            else:
                self.enqueue(new)
        elif old is not None:
            self._given.pop(name_of(old), None)
            for node in self._nodes.values():
                if not (node.get("spec") or {}).get("podCIDR"):
                    self.enqueue(node)  # it may have waited for a range to be returned

    async def sync(self, key: str) -> None:
        node = self._nodes.get(key)
        if node is None or (node.get("spec") or {}).get("podCIDR"):
            return
        taken = [cidr for name, cidrs in self._given.items() if name != key for cidr in cidrs]
        cidrs = []
        for pod_cidr in self.config.pod_cidrs:
            mask_size = self.config.node_mask_sizes[":" in pod_cidr]
            cidr = choose_pod_cidr(key, pod_cidr, mask_size, taken)
            if cidr is None:
                message = f"Node {key} status is now: CIDRNotAvailable"
                self.events.record(node, "Normal", "CIDRNotAvailable", message)
                return
            cidrs.append(cidr)
        self._given[key] = cidrs
        patch = {"spec": {"podCIDR": cidrs[0], "podCIDRs": cidrs}}
        await self.client.patch("nodes", key, patch)
