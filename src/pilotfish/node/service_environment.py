"""Service environment variables: how a container finds Services without DNS.

https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables: the
Kubernetes form (REDIS_SERVICE_HOST, REDIS_SERVICE_PORT[_NAME]) and the older form of container
links (REDIS_PORT, REDIS_PORT_6379_TCP, …_PROTO, …_PORT, …_ADDR).
"""

from __future__ import annotations

from collections.abc import Iterable

from pilotfish.objects.meta import Object


def _variable_name(name: str) -> str:
    return name.upper().replace("-", "_")


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def service_environment(
    services: Iterable[Object], namespace: str, enable_links: bool = True
) -> dict[str, str]:
    """Variables of the namespace's Services, and always of default/kubernetes.

    Services without a ClusterIP (headless, ExternalName) have none.
    """
    chosen: dict[str, Object] = {}
    for service in services:
        meta, spec = service["metadata"], service.get("spec") or {}
        if spec.get("clusterIP") in (None, "", "None") or spec.get("type") == "ExternalName":
            continue
        is_master = meta.get("namespace") == "default" and meta["name"] == "kubernetes"
        own = meta.get("namespace") == namespace
        if own and (enable_links or is_master):
            chosen[meta["name"]] = service
        elif is_master:
            chosen.setdefault(meta["name"], service)

    result: dict[str, str] = {}
    for name in sorted(chosen):
        spec = chosen[name]["spec"]
        address, ports = spec["clusterIP"], spec.get("ports") or []
        if not ports:
            continue
        prefix = _variable_name(name)
        result[f"{prefix}_SERVICE_HOST"] = address
        result[f"{prefix}_SERVICE_PORT"] = str(ports[0]["port"])
        for port in ports:
            if port.get("name"):
                key = f"{prefix}_SERVICE_PORT_{_variable_name(port['name'])}"
                result[key] = str(port["port"])
        for index, port in enumerate(ports):
            protocol = str(port.get("protocol") or "TCP")
            number = port["port"]
            url = f"{protocol.lower()}://{_host(address)}:{number}"
            if index == 0:
                result[f"{prefix}_PORT"] = url
            link = f"{prefix}_PORT_{number}_{protocol.upper()}"
            result[link] = url
            result[f"{link}_PROTO"] = protocol.lower()
            result[f"{link}_PORT"] = str(number)
            result[f"{link}_ADDR"] = address
    return result
