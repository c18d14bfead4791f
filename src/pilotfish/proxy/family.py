"""What differs between IPv4 and IPv6 in the kernel tables."""

from __future__ import annotations

import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """An address family of nftables: the table `ip pilotfish` or `ip6 pilotfish`."""

    name: str  # as nft writes it
    number: int  # NFPROTO_*, which equals AF_*
    address_bytes: int
    source_offset: int  # in the IP header
    destination_offset: int
    address_type: int  # nft's number of the datatype, for `nft list`
    port_unreachable: int  # code of ICMP(v6) destination unreachable

    @property
    def words(self) -> int:
        """32-bit registers that an address fills."""
        return self.address_bytes // 4

    def pack(self, address: str) -> bytes:
        """Raises OSError for text that is no address of this family."""
        return socket.inet_pton(self.number, address)

    def has(self, address: str) -> bool:
        """Whether a text is an address of this family, as the kernel's libraries read it."""
        try:
            socket.inet_pton(self.number, address)
        except OSError:
            return False
        return True

    def unpack(self, data: bytes) -> str:
        return socket.inet_ntop(self.number, data)


# Offsets: RFC 791 section 3.1, RFC 8200 section 3. Codes: RFC 792, RFC 4443 section 3.1.
IPV4 = Family("ip", 2, 4, 12, 16, 7, 3)
IPV6 = Family("ip6", 10, 16, 8, 24, 8, 4)
FAMILIES = (IPV4, IPV6)


def family_of(address: str) -> Family | None:
    """The family of an address or CIDR, None for what is neither."""
    host, _, _ = address.partition("/")
    for family in FAMILIES:
        if family.has(host):
            return family
    return None
