"""Addresses and their ranges: `ip()`, `cidr()` (Kubernetes' IP and CIDR libraries)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, ClassVar, Final

from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.functions import Function, Overload
from pilotfish.cel.types import BOOL, INT, STRING, Type
from pilotfish.cel.values import TypeName

IP: Final = Type("net.IP")
CIDR: Final = Type("net.CIDR")


@dataclass(frozen=True, slots=True)
class Ip:
    """An address."""

    cel_type: ClassVar = TypeName(IP.name)

    address: IPv4Address | IPv6Address

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class Cidr:
    """A range of addresses, as it was written: with the address that stands before the slash."""

    cel_type: ClassVar = TypeName(CIDR.name)

    address: IPv4Address | IPv6Address
    network: IPv4Network | IPv6Network

    def __str__(self) -> str:
        return f"{self.address}/{self.network.prefixlen}"


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        found = ip_address(text)
    except ValueError as error:
        message = f'IP Address "{text}" parse error during conversion from string: {error}'
        raise EvaluationError(message) from error
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            raise EvaluationError(f'IP address "{text}" with zone value is not allowed')
        if found.ipv4_mapped is not None:
            raise EvaluationError(f'IPv4-mapped IPv6 address "{text}" is not allowed')
    return found


def _cidr(text: str) -> Cidr:
    before, slash, bits = text.partition("/")
    if not slash or not bits.isdecimal():
        message = f'network address parse error during conversion from string: "{text}"'
        raise EvaluationError(message)
    try:
        return Cidr(_address(before), ip_network(text, strict=False))
    except ValueError as error:
        message = f"network address parse error during conversion from string: {error}"
        raise EvaluationError(message) from error


def _is(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except EvaluationError:
            return False
        return True

    return check


def _contains_ip(of: Cidr, given: Ip | str) -> bool:
    address = _address(given) if isinstance(given, str) else given.address
    return address.version == of.network.version and address in of.network


def _contains_cidr(of: Cidr, given: Cidr | str) -> bool:
    inner = (_cidr(given) if isinstance(given, str) else given).network
    return (
        inner.version == of.network.version
        and inner.prefixlen >= of.network.prefixlen
        and inner.network_address in of.network
    )


def _is_global_unicast(of: Ip) -> bool:
    address = of.address
    is_broadcast = address == IPv4Address("255.255.255.255")
    special = address.is_unspecified or address.is_loopback or address.is_multicast
    return not (special or is_broadcast or address.is_link_local)


def _is_link_local_multicast(of: Ip) -> bool:
    if isinstance(of.address, IPv4Address):
        return of.address in IPv4Network("224.0.0.0/24")
    # Scope 2 in the second byte (RFC 4291, 2.7).
    return of.address.packed[0] == 0xFF and of.address.packed[1] & 0x0F == 2


def _of_text(name: str, doc: str, result: Type, run: Any, *, has_syntax: bool = False) -> Function:
    return Function(name, doc, (Overload((STRING,), result, run),), has_syntax=has_syntax)


def _method(name: str, doc: str, *overloads: Overload) -> Function:
    return Function(name, doc, overloads, is_global=False, is_method=True)


FUNCTIONS: Final = (
    _of_text("ip", "an address", IP, lambda text: Ip(_address(text)), has_syntax=True),
    _of_text("isIP", "whether a string is an address", BOOL, _is(_address)),
    _of_text(
        "ip.isCanonical",
        "whether a string is an address in its one canonical form",
        BOOL,
        lambda text: str(_address(text)) == text,
    ),
    _of_text("cidr", "a range of addresses", CIDR, _cidr, has_syntax=True),
    _of_text("isCIDR", "whether a string is a range of addresses", BOOL, _is(_cidr)),
    _method("family", "4 or 6", Overload((IP,), INT, lambda of: of.address.version)),
    _method(
        "isUnspecified",
        "whether it is 0.0.0.0 or ::",
        Overload((IP,), BOOL, lambda of: of.address.is_unspecified),
    ),
    _method(
        "isLoopback",
        "whether it is the machine's own",
        Overload((IP,), BOOL, lambda of: of.address.is_loopback),
    ),
    _method(
        "isLinkLocalMulticast",
        "whether it means all on a link",
        Overload((IP,), BOOL, _is_link_local_multicast),
    ),
    _method(
        "isLinkLocalUnicast",
        "whether it counts on its link alone",
        Overload((IP,), BOOL, lambda of: of.address.is_link_local),
    ),
    _method(
        "isGlobalUnicast",
        "whether it is one machine's, beyond its link",
        Overload((IP,), BOOL, _is_global_unicast),
    ),
    _method(
        "containsIP",
        "whether an address lies in the range",
        Overload((CIDR, IP), BOOL, _contains_ip),
        Overload((CIDR, STRING), BOOL, _contains_ip),
    ),
    _method(
        "containsCIDR",
        "whether another range lies in the range",
        Overload((CIDR, CIDR), BOOL, _contains_cidr),
        Overload((CIDR, STRING), BOOL, _contains_cidr),
    ),
    _method("ip", "the address of the range", Overload((CIDR,), IP, lambda of: Ip(of.address))),
    _method(
        "masked",
        "the range with its first address",
        Overload((CIDR,), CIDR, lambda of: Cidr(of.network.network_address, of.network)),
    ),
    _method(
        "prefixLength",
        "how many bits the range shares",
        Overload((CIDR,), INT, lambda of: of.network.prefixlen),
    ),
    Function(
        "string",
        "the value as text",
        (Overload((IP,), STRING, str), Overload((CIDR,), STRING, str)),
    ),
)
