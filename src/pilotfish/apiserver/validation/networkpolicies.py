"""Validation of NetworkPolicies."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

from pilotfish.apiserver.validation.causes import (
    Cause,
    forbidden,
    invalid,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.formats import BAD_NETWORK, is_network, port_number_or_name
from pilotfish.objects.meta import Object

_Network = IPv4Network | IPv6Network

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_TYPES = ("Egress", "Ingress")


def validate(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    causes = [
        not_supported(f"spec.policyTypes[{index}]", kind, _TYPES)
        for index, kind in enumerate(spec.get("policyTypes") or ())
        if kind not in _TYPES
    ]
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            at = f"spec.{direction}[{index}]"
            for place, port in enumerate(rule.get("ports") or ()):
                causes += _validate_port(port, f"{at}.ports[{place}]")
            for place, peer in enumerate(rule.get(peers) or ()):
                causes += _validate_peer(peer, f"{at}.{peers}[{place}]")
    return causes


def _validate_port(port: Object, at: str) -> list[Cause]:
    causes: list[Cause] = []
    if port.get("protocol") not in _PROTOCOLS:
        causes.append(not_supported(f"{at}.protocol", port.get("protocol", ""), _PROTOCOLS))
    number = port.get("port")
    if number is not None:
        why = port_number_or_name(number)
        if why:
            causes.append(invalid(f"{at}.port", number, why))
    end = port.get("endPort")
    if end is not None:
        if number is None:
            causes.append(required(f"{at}.port", "must be specified when endPort is specified"))
        elif isinstance(number, str):
            causes.append(
                invalid(f"{at}.endPort", end, "may not be specified when 'port' is non-numeric")
            )
        elif end < number:
            why = "must be greater than or equal to `port`"
            causes.append(invalid(f"{at}.endPort", end, why))
    return causes


def _validate_peer(peer: Object, at: str) -> list[Cause]:
    block = peer.get("ipBlock")
    selectors = [name for name in ("podSelector", "namespaceSelector") if name in peer]
    if block is None and not selectors:
        return [required(at, "must specify a peer")]
    if block is None:
        return []
    if selectors:
        return [forbidden(at, "may not specify both ipBlock and another peer")]
    return _validate_block(block, f"{at}.ipBlock")


def _validate_block(block: Object, at: str) -> list[Cause]:
    cidr = block.get("cidr", "")
    if not cidr:
        return [required(f"{at}.cidr")]
    if not is_network(cidr):
        return [invalid(f"{at}.cidr", cidr, BAD_NETWORK)]
    whole = ip_network(cidr, strict=False)
    causes: list[Cause] = []
    for index, text in enumerate(block.get("except") or ()):
        if not is_network(text):
            causes.append(invalid(f"{at}.except[{index}]", text, BAD_NETWORK))
        elif not _is_within(ip_network(text, strict=False), whole):
            why = "must be a strict subset of `cidr`"
            causes.append(invalid(f"{at}.except[{index}]", text, why))
    return causes


def _is_within(part: _Network, whole: _Network) -> bool:
    return (
        part.version == whole.version
        and part.network_address in whole
        and (part.prefixlen > whole.prefixlen)
    )
