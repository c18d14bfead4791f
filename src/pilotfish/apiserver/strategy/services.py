"""Updates of Services: what a change of type keeps, and what it lets go.

A client that sends a Service without what the API server allocated means to keep it. One that
changes the type and leaves fields of the old type as they were means to drop those.
"""

from __future__ import annotations

from typing import Any

from pilotfish.objects.meta import Object


def prepare_for_update(new: Object, old: Object) -> None:
    after: dict[str, Any] = new["spec"]
    before: dict[str, Any] = old["spec"]
    _keep_allocated(after, before)
    _follow_cluster_ip(after, before)
    _drop_fields_of_old_type(after, before)
    _keep_families(after, before)
    if after["type"] != "LoadBalancer":
        new["status"] = {**new.get("status", {}), "loadBalancer": {}}


def _keep_allocated(after: dict[str, Any], before: dict[str, Any]) -> None:
    said_nothing = not after.get("clusterIP") and not after.get("clusterIPs")
    if said_nothing and _has_cluster_ip(before) and _has_cluster_ip(after):
        for field in ("clusterIP", "clusterIPs"):
            if before.get(field):
                after[field] = before[field]
    if _has_node_ports(before) and _has_node_ports(after):
        known = {
            (port.get("protocol"), port.get("port")): port["nodePort"]
            for port in before.get("ports") or ()
            if port.get("nodePort")
        }
        used = {port["nodePort"] for port in after.get("ports") or () if port.get("nodePort")}
        for port in after.get("ports") or ():
            number = known.get((port.get("protocol"), port.get("port")))
            if not port.get("nodePort") and number and number not in used:
                port["nodePort"] = number
    number = before.get("healthCheckNodePort")
    if number and _has_health_check_port(before) and _has_health_check_port(after):
        after["healthCheckNodePort"] = after.get("healthCheckNodePort") or number


def _follow_cluster_ip(after: dict[str, Any], before: dict[str, Any]) -> None:
    """A change of clusterIP alone, by a client that knows no clusterIPs, changes both."""
    if after.get("clusterIP") != before.get("clusterIP") and (
        after.get("clusterIPs") == before.get("clusterIPs")
    ):
        if after.get("clusterIP"):
            after["clusterIPs"] = [after["clusterIP"]]
        else:
            after.pop("clusterIPs", None)


def _drop_fields_of_old_type(after: dict[str, Any], before: dict[str, Any]) -> None:
    if _has_cluster_ip(before) and not _has_cluster_ip(after):
        _drop_unchanged(after, before, "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
    loses_node_ports = _has_node_ports(before) and not _has_node_ports(after)
    if loses_node_ports and _node_ports(after) == _node_ports(before):
        for port in after.get("ports") or ():
            port.pop("nodePort", None)
    if _has_health_check_port(before) and not _has_health_check_port(after):
        _drop_unchanged(after, before, "healthCheckNodePort")
    if before["type"] == "LoadBalancer" and after["type"] != "LoadBalancer":
        _drop_unchanged(after, before, "allocateLoadBalancerNodePorts", "loadBalancerClass")
    if _is_external(before) and not _is_external(after):
        _drop_unchanged(after, before, "externalTrafficPolicy")
    if before["type"] == "ExternalName" and after["type"] != "ExternalName":
        _drop_unchanged(after, before, "externalName")


def _keep_families(after: dict[str, Any], before: dict[str, Any]) -> None:
    """Who says nothing of families keeps them; SingleStack gives the second one up.

    https://kubernetes.io/docs/concepts/services-networking/dual-stack/
    #switching-services-between-single-stack-and-dual-stack
    """
    if not (_has_cluster_ip(before) and _has_cluster_ip(after)):
        return
    for field in ("ipFamilyPolicy", "ipFamilies"):
        if not after.get(field) and before.get(field):
            after[field] = before[field]
    if before.get("ipFamilyPolicy") != "SingleStack" and after.get("ipFamilyPolicy") == (
        "SingleStack"
    ):
        for field in ("ipFamilies", "clusterIPs"):
            if after.get(field) == before.get(field) and len(after.get(field) or ()) > 1:
                after[field] = after[field][:1]


def _drop_unchanged(after: dict[str, Any], before: dict[str, Any], *fields: str) -> None:
    for field in fields:
        if after.get(field) == before.get(field):
            after.pop(field, None)


def _has_cluster_ip(spec: dict[str, Any]) -> bool:
    return bool(spec["type"] != "ExternalName")


def _has_node_ports(spec: dict[str, Any]) -> bool:
    return spec["type"] in ("NodePort", "LoadBalancer")


def _has_health_check_port(spec: dict[str, Any]) -> bool:
    return spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _is_external(spec: dict[str, Any]) -> bool:
    return spec["type"] in ("NodePort", "LoadBalancer") or bool(spec.get("externalIPs"))


def _node_ports(spec: dict[str, Any]) -> set[int]:
    return {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
