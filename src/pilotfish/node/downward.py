"""The downward API: a Pod's own fields and its containers' resources, as text.

Used by env valueFrom and by downwardAPI volumes. https://kubernetes.io/docs/concepts/workloads/
pods/downward-api/ lists the fields.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal

from pilotfish.node.errors import ContainerConfigError
from pilotfish.objects.meta import Object
from pilotfish.objects.quantities import parse_quantity

_SUBSCRIPT = re.compile(r"^metadata\.(labels|annotations)\['(.+)'\]$")


@dataclass(frozen=True)
class NodeFacts:
    """What a field path may ask about the node; `pod_ips` as the sandbox knows them.

    `ips`: the node's address of each family, () for `ip` alone.
    """

    name: str
    ip: str
    cpu: Decimal
    memory_bytes: int
    disk_bytes: int
    pod_ips: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()


def format_map(values: dict[str, str]) -> str:
    """Labels or annotations as a downward API file has them: key="escaped value" per line."""
    lines = []
    for key in sorted(values):
        text = values[key].replace("\\", "\\\\").replace('"', '\\"')
        text = text.replace("\n", "\\n").replace("\t", "\\t")
        lines.append(f'{key}="{text}"')
    return "\n".join(lines)


def field_value(pod: Object, path: str, facts: NodeFacts) -> str:
    """The text of one field path; ContainerConfigError when the path is not supported."""
    meta, spec = pod.get("metadata", {}), pod.get("spec", {})
    simple = {
        "metadata.name": meta.get("name", ""),
        "metadata.namespace": meta.get("namespace", ""),
        "metadata.uid": meta.get("uid", ""),
        "spec.nodeName": facts.name,
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.hostIP": facts.ip,
        "status.hostIPs": ",".join(facts.ips or (facts.ip,)),
        "status.podIP": facts.pod_ips[0] if facts.pod_ips else "",
        "status.podIPs": ",".join(facts.pod_ips),
    }
    if path in simple:
        return str(simple[path])
    if path in ("metadata.labels", "metadata.annotations"):
        return format_map(meta.get(path.removeprefix("metadata.")) or {})
    if match := _SUBSCRIPT.match(path):
        return str((meta.get(match[1]) or {}).get(match[2], ""))
    raise ContainerConfigError(f"unsupported fieldPath: {path}")


def _container(pod: Object, name: str) -> Object:
    spec = pod.get("spec", {})
    for container in [*spec.get("initContainers", []), *spec.get("containers", [])]:
        if container["name"] == name:
            return dict(container)
    raise ContainerConfigError(f"container {name} not found")


def resource_value(pod: Object, container_name: str, ref: Object, facts: NodeFacts) -> str:
    """A resourceFieldRef's value: the quantity divided by the divisor, rounded up.

    A missing limit counts as the node's capacity, as the kubelet does it.
    """
    container = _container(pod, ref.get("containerName") or container_name)
    what, _, resource = str(ref.get("resource", "")).partition(".")
    if what not in ("limits", "requests"):
        raise ContainerConfigError(f"unsupported container resource: {ref.get('resource')}")
    resources = container.get("resources") or {}
    text = (resources.get(what) or {}).get(resource)
    if text is None and what == "requests":
        text = (resources.get("limits") or {}).get(resource) or "0"
    if text is not None:
        value = parse_quantity(str(text))
    else:
        of_node = {
            "cpu": facts.cpu,
            "ephemeral-storage": Decimal(facts.disk_bytes),
            "memory": Decimal(facts.memory_bytes),
        }
        value = of_node.get(resource, Decimal(0))
    divisor = parse_quantity(str(ref.get("divisor") or "1")) or Decimal(1)
    return str(math.ceil(value / divisor))
