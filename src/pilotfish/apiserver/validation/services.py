"""Validation of Services."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from pilotfish.apiserver.validation.causes import (
    Cause,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.formats import (
    BAD_ADDRESS,
    BAD_NETWORK,
    PORT_RANGE,
    dns_label,
    dns_subdomain,
    family,
    is_network,
    port_number_or_name,
    qualified_name,
)
from pilotfish.apiserver.validation.metadata import validate_labels
from pilotfish.objects.meta import Object

KUBELET_PORT = 10250
MAX_AFFINITY_S = 86400

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_AFFINITIES = ("ClientIP", "None")
_POLICIES = ("Cluster", "Local")
_FAMILIES = ("IPv4", "IPv6")
_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")

Spec = dict[str, Any]


def validate(obj: Object) -> list[Cause]:
    spec: Spec = obj["spec"]
    kind = spec.get("type", "")
    causes = _validate_ports(spec, kind)
    if kind not in _TYPES:
        causes.append(not_supported("spec.type", kind, _TYPES))
    if spec.get("selector"):
        causes += validate_labels(spec["selector"], "spec.selector")
    if kind == "ExternalName":
        causes += _validate_external_name(spec)
    else:
        causes += _validate_addresses(spec, kind)
    causes += _validate_affinity(spec)
    if spec.get("externalIPs"):
        causes += _validate_external_ips(spec["externalIPs"])
    causes += _validate_traffic_policies(spec, kind)
    causes += _validate_load_balancer_fields(spec, kind)
    return causes


def validate_update(new: Object, old: Object) -> list[Cause]:
    after: Spec = new["spec"]
    before: Spec = old["spec"]
    causes: list[Cause] = []
    both_addressed = "ExternalName" not in (after.get("type"), before.get("type"))
    if both_addressed and before.get("clusterIP"):
        if after.get("clusterIP") != before["clusterIP"]:
            shown = after.get("clusterIPs") or []
            causes.append(invalid("spec.clusterIPs[0]", shown, "may not change once set"))
        elif (after.get("ipFamilies") or [""])[0] != (before.get("ipFamilies") or [""])[0]:
            shown = after.get("ipFamilies") or []
            causes.append(invalid("spec.ipFamilies[0]", shown, "may not change once set"))
        second, was_second = ((spec.get("clusterIPs") or [])[1:] for spec in (after, before))
        if second and was_second and second != was_second:
            shown = after["clusterIPs"]
            causes.append(invalid("spec.clusterIPs[1]", shown, "may not change once set"))
    if after.get("type") == before.get("type") == "LoadBalancer":
        chosen = after.get("loadBalancerClass")
        if chosen != before.get("loadBalancerClass"):
            why = "may not change once set"
            causes.append(invalid("spec.loadBalancerClass", chosen, why))
    return causes


def _validate_ports(spec: Spec, kind: str) -> list[Cause]:
    ports: list[dict[str, Any]] = spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    causes: list[Cause] = []
    if not ports and not headless and kind != "ExternalName":
        causes.append(required("spec.ports"))
    names: set[str] = set()
    seen: set[tuple[str, int]] = set()
    node_ports: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        at = f"spec.ports[{index}]"
        causes += _validate_port(port, at, len(ports) > 1, names)
        number, protocol = port.get("port", 0), port.get("protocol", "")
        if kind == "LoadBalancer" and number == KUBELET_PORT:
            why = f"may not expose port {number} externally since it is used by kubelet"
            causes.append(invalid(at, number, why))
        node_port = port.get("nodePort", 0)
        if node_port:
            if kind == "ClusterIP":
                why = "may not be used when `type` is 'ClusterIP'"
                causes.append(forbidden(f"{at}.nodePort", why))
            if (protocol, node_port) in node_ports:
                causes.append(duplicate(f"{at}.nodePort", node_port))
            node_ports.add((protocol, node_port))
        if (protocol, number) in seen:
            causes.append(duplicate(at, {"port": number, "protocol": protocol}))
        seen.add((protocol, number))
    return causes


def _validate_port(
    port: dict[str, Any], at: str, name_is_required: bool, names: set[str]
) -> list[Cause]:
    causes: list[Cause] = []
    name = port.get("name", "")
    if name:
        why = dns_label(name)
        if why:
            causes.append(invalid(f"{at}.name", name, why))
        if name in names:
            causes.append(duplicate(f"{at}.name", name))
        names.add(name)
    elif name_is_required:
        causes.append(required(f"{at}.name"))
    number = port.get("port", 0)
    if not 1 <= number <= 65535:
        causes.append(invalid(f"{at}.port", number, PORT_RANGE))
    if port.get("protocol") not in _PROTOCOLS:
        causes.append(not_supported(f"{at}.protocol", port.get("protocol", ""), _PROTOCOLS))
    target = port.get("targetPort")
    if target is not None:
        why = port_number_or_name(target)
        if why:
            causes.append(invalid(f"{at}.targetPort", target, why))
    if port.get("appProtocol"):
        why = qualified_name(port["appProtocol"])
        if why:
            causes.append(invalid(f"{at}.appProtocol", port["appProtocol"], why))
    return causes


def _validate_external_name(spec: Spec) -> list[Cause]:
    causes = [
        forbidden(f"spec.{field}", "may not be set for ExternalName services")
        for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
        if spec.get(field) or (field == "clusterIPs" and spec.get("clusterIP"))
    ]
    name = spec.get("externalName", "").removesuffix(".")
    if not name:
        causes.append(required("spec.externalName"))
    else:
        why = dns_subdomain(name)
        if why:
            causes.append(invalid("spec.externalName", name, why))
    return causes


def _validate_addresses(spec: Spec, kind: str) -> list[Cause]:
    causes: list[Cause] = []
    addresses = spec.get("clusterIPs") or []
    if addresses:
        causes += _validate_cluster_ips(spec.get("clusterIP", ""), addresses)
    if spec.get("clusterIP") == "None" and kind in ("LoadBalancer", "NodePort"):
        why = f"may not be set to 'None' for {kind} services"
        causes.append(invalid("spec.clusterIPs[0]", "None", why))
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in _FAMILY_POLICIES:
        causes.append(not_supported("spec.ipFamilyPolicy", policy, _FAMILY_POLICIES))
    seen: set[str] = set()
    for index, name in enumerate(spec.get("ipFamilies") or ()):
        at = f"spec.ipFamilies[{index}]"
        if name not in _FAMILIES:
            causes.append(not_supported(at, name, _FAMILIES))
        elif name in seen:
            causes.append(duplicate(at, name))
        seen.add(name)
    return causes


def _validate_cluster_ips(first: str, addresses: list[str]) -> list[Cause]:
    causes: list[Cause] = []
    if not first:
        why = "must be empty when `clusterIP` is not specified"
        causes.append(invalid("spec.clusterIPs", addresses, why))
    elif first != addresses[0]:
        why = "first value must match `clusterIP`"
        causes.append(invalid("spec.clusterIPs", addresses, why))
    if len(addresses) > 2:
        causes.append(invalid("spec.clusterIPs", addresses, "may only hold up to 2 values"))
    for index, text in enumerate(addresses):
        if text == "None":
            if len(addresses) > 1:
                why = "'None' must be the first and only value"
                causes.append(invalid("spec.clusterIPs", addresses, why))
        elif not family(text):
            causes.append(invalid(f"spec.clusterIPs[{index}]", text, BAD_ADDRESS))
    if len(addresses) == 2 and family(addresses[0]) == family(addresses[1]) != "":
        why = "may specify no more than one IP for each IP family"
        causes.append(invalid("spec.clusterIPs", addresses, why))
    return causes


def _validate_affinity(spec: Spec) -> list[Cause]:
    affinity = spec.get("sessionAffinity", "None")
    if affinity == "None":
        return []
    if affinity != "ClientIP":
        return [not_supported("spec.sessionAffinity", affinity, _AFFINITIES)]
    client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    timeout_s = client.get("timeoutSeconds", 0)
    if 0 < timeout_s <= MAX_AFFINITY_S:
        return []
    why = f"must be greater than 0 and less than {MAX_AFFINITY_S}"
    return [invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", timeout_s, why)]


def _validate_external_ips(addresses: list[str]) -> list[Cause]:
    causes: list[Cause] = []
    for index, text in enumerate(addresses):
        at = f"spec.externalIPs[{index}]"
        if not family(text):
            causes.append(invalid(at, text, BAD_ADDRESS))
            continue
        why = special_address(text)
        if why:
            causes.append(invalid(at, text, why))
    return causes


@lru_cache(maxsize=8192)
def special_address(text: str) -> str:
    """Why an address cannot be an endpoint: only its own machine could use it; "" if it can."""
    address = ip_address(text)
    if address.is_unspecified:
        return f"may not be unspecified ({text})"
    if address.is_loopback:
        return "may not be in the loopback range (127.0.0.0/8, ::1/128)"
    if address.is_link_local:
        return "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
    if address.is_multicast and (
        text.startswith("224.0.0.") or text.lower().startswith(("ff02:", "ff12:"))
    ):
        return "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
    return ""


def _validate_traffic_policies(spec: Spec, kind: str) -> list[Cause]:
    causes: list[Cause] = []
    external = spec.get("externalTrafficPolicy")
    if kind in ("NodePort", "LoadBalancer") or spec.get("externalIPs"):
        if external not in _POLICIES:
            causes.append(not_supported("spec.externalTrafficPolicy", external, _POLICIES))
    elif external:
        why = "may only be set for externally-accessible services"
        causes.append(invalid("spec.externalTrafficPolicy", external, why))
    internal = spec.get("internalTrafficPolicy")
    if internal is not None and internal not in _POLICIES:
        causes.append(not_supported("spec.internalTrafficPolicy", internal, _POLICIES))
    if spec.get("healthCheckNodePort") and not (kind == "LoadBalancer" and external == "Local"):
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        causes.append(invalid("spec.healthCheckNodePort", spec["healthCheckNodePort"], why))
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        causes.append(not_supported("spec.trafficDistribution", distribution, _DISTRIBUTIONS))
    return causes


def _validate_load_balancer_fields(spec: Spec, kind: str) -> list[Cause]:
    causes: list[Cause] = []
    if kind != "LoadBalancer":
        why = "may only be used when `type` is 'LoadBalancer'"
        causes += [
            forbidden(f"spec.{field}", why)
            for field in (
                "allocateLoadBalancerNodePorts",
                "loadBalancerClass",
                "loadBalancerSourceRanges",
            )
            if spec.get(field) is not None and spec.get(field) != []
        ]
    for index, text in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        if not is_network(text.strip()):
            causes.append(invalid(f"spec.loadBalancerSourceRanges[{index}]", text, BAD_NETWORK))
    return causes
