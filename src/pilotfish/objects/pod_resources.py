"""What a Pod takes of a node: resources, and host ports."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache

from pilotfish.objects.meta import Object
from pilotfish.objects.pods import serving_containers
from pilotfish.objects.quantities import parse_quantity

# A host port: address ("" for all), protocol, number.
HostPort = tuple[str, str, int]

# How many Pods a node takes that does not say so (kubelet's --max-pods).
DEFAULT_MAX_PODS = 110


@lru_cache(maxsize=4096)
def amount(resource: str, quantity: str) -> int:
    """A quantity as a whole number: thousandths of a core, or bytes or pieces."""
    number = parse_quantity(quantity)
    return math.ceil(number * Decimal(1000) if resource == "cpu" else number)


def pod_requests(pod: Object) -> Counter[str]:
    """What the Pod asks of a node ("Resource Management for Pods and Containers").

    What its containers ask for together, and the overhead of the runtime.
    """
    spec = pod["spec"]
    total = _together(spec, _requests)
    for resource, quantity in ((spec.get("resources") or {}).get("requests") or {}).items():
        total[resource] = amount(resource, str(quantity))
    for resource, quantity in (spec.get("overhead") or {}).items():
        total[resource] += amount(resource, str(quantity))
    return total


def pod_limits(pod: Object) -> Counter[str]:
    """What the Pod's containers may take together; 0 too for a resource that none limits."""
    return _together(pod["spec"], _limits)


def _together(spec: Object, of: Callable[[Object], Counter[str]]) -> Counter[str]:
    """The containers' sum, or more while the init containers run.

    An init container needs its own only while it runs, beside the sidecars started before it.
    """
    total: Counter[str] = Counter()
    for container in spec.get("containers") or ():
        total.update(of(container))
    sidecars: Counter[str] = Counter()
    peak: Counter[str] = Counter()
    for container in spec.get("initContainers") or ():
        needed = sidecars + of(container)
        peak |= needed
        if container.get("restartPolicy") == "Always":
            sidecars = needed
    return (total + sidecars) | peak


def _requests(container: Object) -> Counter[str]:
    resources = container.get("resources") or {}
    wanted = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return _amounts(wanted)


def _limits(container: Object) -> Counter[str]:
    return _amounts((container.get("resources") or {}).get("limits") or {})


def _amounts(quantities: Object) -> Counter[str]:
    return Counter({name: amount(name, str(quantity)) for name, quantity in quantities.items()})


def host_ports(pod: Object) -> Iterator[HostPort]:
    """The ports of the node that the Pod's containers take."""
    for container in serving_containers(pod):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                address = port.get("hostIP") or ""
                if address in ("0.0.0.0", "::"):
                    address = ""
                yield address, port.get("protocol", "TCP"), port["hostPort"]


def ports_clash(one: HostPort, other: HostPort) -> bool:
    """Whether two host ports cannot both be had: all addresses include each one."""
    same_address = one[0] == other[0] or not one[0] or not other[0]
    return same_address and one[1:] == other[1:]


def lacking(
    requests: Counter[str], taken: Counter[str], count: int, have: dict[str, int]
) -> Iterable[tuple[str, int]]:
    """The resources of a node that a Pod would need more of, each with what it asks for.

    Args:
        requests: of the Pod.
        taken: what the other Pods on the node ask for together.
        count: how many they are.
        have: what the node has for Pods.
    """
    if count + 1 > have.get("pods", DEFAULT_MAX_PODS):
        yield "pods", 1
    for resource, wanted in requests.items():
        if wanted and wanted + taken[resource] > have.get(resource, 0):
            yield resource, wanted
