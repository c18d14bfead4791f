"""Which address ranges a new cluster takes: the first that nothing on the machine uses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network


@dataclass(frozen=True)
class Occupied:
    """A range in use, and who uses it: "address 192.168.64.1/24 of interface docker0"."""

    network: IPv4Network
    holder: str


class OccupiedSubnet(ValueError):
    """A range is not free; the message names the holder and what to do."""


@dataclass(frozen=True)
class Ranges:
    """A cluster's address ranges."""

    nodes: IPv4Network
    pods: IPv4Network
    services: IPv4Network


def choose(occupied: Sequence[Occupied]) -> Ranges:
    """The first free range of each kind. Raises OccupiedSubnet when a kind has none left."""
    return Ranges(
        nodes=_first_free("nodes", node_ranges(), occupied),
        pods=_first_free("Pods", pod_ranges(), occupied),
        services=_first_free("Services", service_ranges(), occupied),
    )


def require_free(network: IPv4Network, occupied: Iterable[Occupied]) -> None:
    """Raises OccupiedSubnet when `network` overlaps a range in use."""
    holder = _holder(network, occupied)
    if holder:
        raise OccupiedSubnet(
            f"the subnet {network} is occupied by {holder.holder}: "
            "choose another range, or take that one down"
        )


def node_ranges() -> Iterator[IPv4Network]:
    """192.168.64.0/24 to 192.168.127.0/24."""
    return (IPv4Network(f"192.168.{third}.0/24") for third in range(64, 128))


def pod_ranges() -> Iterator[IPv4Network]:
    """10.244.0.0/16 to 10.255.0.0/16."""
    return (IPv4Network(f"10.{second}.0.0/16") for second in range(244, 256))


def service_ranges() -> Iterator[IPv4Network]:
    """10.96.0.0/12, the /12s after it that end before the Pods' ranges, then the /16s there."""
    yield from (IPv4Network(f"10.{second}.0.0/12") for second in range(96, 240, 16))
    yield from (IPv4Network(f"10.{second}.0.0/16") for second in range(96, 244))


def occupied_by(
    link_names: dict[int, str],
    addresses: Iterable[tuple[int, str]],
    routes: Iterable[tuple[int, str]],
    name_servers: Iterable[str] = (),
) -> list[Occupied]:
    """The IPv4 ranges in use, from (link index, prefix) pairs of addresses and of routes.

    Default routes occupy nothing. The machine's name servers count, although only the default
    route may lead to them: a cluster on top of one would cut the machine off from its DNS.
    """
    found = []
    for index, prefix in addresses:
        if ":" not in prefix:
            link = link_names.get(index, str(index))
            holder = f"interface {link} (address {prefix})"
            found.append(Occupied(IPv4Network(prefix, strict=False), holder))
    for index, prefix in routes:
        network = ip_network(prefix, strict=False)
        if isinstance(network, IPv4Network) and network.prefixlen > 0:
            known = index in link_names
            holder = (
                f"interface {link_names[index]} (route {prefix})" if known else f"route {prefix}"
            )
            found.append(Occupied(network, holder))
    return found + [
        Occupied(IPv4Network(server), f"the machine's name server {server}")
        for server in name_servers
        if ":" not in server
    ]


def _first_free(
    what: str, candidates: Iterable[IPv4Network], occupied: Sequence[Occupied]
) -> IPv4Network:
    first = None
    for candidate in candidates:
        holder = _holder(candidate, occupied)
        if holder is None:
            return candidate
        first = first or holder
    assert first is not None
    raise OccupiedSubnet(
        f"no free range for {what}: all are occupied, the first by {first.holder}; "
        "take down a cluster or an interface that is not needed"
    )


def _holder(network: IPv4Network, occupied: Iterable[Occupied]) -> Occupied | None:
    return next((one for one in occupied if one.network.overlaps(network)), None)
