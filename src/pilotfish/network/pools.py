"""Which address ranges a new cluster takes: the first that nothing on the machine uses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Occupied:
    """A range in use, and who uses it: "address 192.168.64.1/24 of interface docker0"."""

    network: Network
    holder: str


class OccupiedSubnet(ValueError):
    """A range is not free; the message names the holder and what to do."""


@dataclass(frozen=True)
class Ranges:
    """A cluster's address ranges of one family."""

    nodes: Network
    pods: Network
    services: Network


def choose(occupied: Sequence[Occupied], version: int = 4) -> Ranges:
    """The first free range of each kind, of IPv4 or IPv6.

    Raises OccupiedSubnet when a kind has none left.
    """
    if version == 6:
        return Ranges(
            nodes=_first_free("nodes", node_ranges_v6(), occupied),
            pods=_first_free("Pods", pod_ranges_v6(), occupied),
            services=_first_free("Services", service_ranges_v6(), occupied),
        )
    return Ranges(
        nodes=_first_free("nodes", node_ranges(), occupied),
        pods=_first_free("Pods", pod_ranges(), occupied),
        services=_first_free("Services", service_ranges(), occupied),
    )


def require_free(network: Network, occupied: Iterable[Occupied]) -> None:
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


# Unique local addresses (RFC 4193) that look like their IPv4 counterparts; the random part that
# the RFC wants is for networks that may be joined one day, and these never leave the machine.


def node_ranges_v6() -> Iterator[IPv6Network]:
    """fd00:192:168:64::/64 to fd00:192:168:127::/64."""
    return (IPv6Network(f"fd00:192:168:{fourth}::/64") for fourth in range(64, 128))


def pod_ranges_v6() -> Iterator[IPv6Network]:
    """fd00:10:244::/56 to fd00:10:255::/56; each node takes a /64."""
    return (IPv6Network(f"fd00:10:{third}::/56") for third in range(244, 256))


def service_ranges_v6() -> Iterator[IPv6Network]:
    """fd00:10:96::/112 to fd00:10:243::/112."""
    return (IPv6Network(f"fd00:10:{third}::/112") for third in range(96, 244))


def occupied_by(
    link_names: dict[int, str],
    addresses: Iterable[tuple[int, str]],
    routes: Iterable[tuple[int, str]],
    name_servers: Iterable[str] = (),
) -> list[Occupied]:
    """The ranges in use, from (link index, prefix) pairs of addresses and of routes.

    Default routes occupy nothing. The machine's name servers count, although only the default
    route may lead to them: a cluster on top of one would cut the machine off from its DNS.
    """
    found = []
    for index, prefix in addresses:
        link = link_names.get(index, str(index))
        holder = f"interface {link} (address {prefix})"
        found.append(Occupied(ip_network(prefix, strict=False), holder))
    for index, prefix in routes:
        network = ip_network(prefix, strict=False)
        if network.prefixlen > 0:
            known = index in link_names
            holder = (
                f"interface {link_names[index]} (route {prefix})" if known else f"route {prefix}"
            )
            found.append(Occupied(network, holder))
    return found + [
        Occupied(ip_network(server.partition("%")[0]), f"the machine's name server {server}")
        for server in name_servers
    ]


def _first_free(what: str, candidates: Iterable[Network], occupied: Sequence[Occupied]) -> Network:
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


def _holder(network: Network, occupied: Iterable[Occupied]) -> Occupied | None:
    return next((one for one in occupied if _overlap(one.network, network)), None)


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)
