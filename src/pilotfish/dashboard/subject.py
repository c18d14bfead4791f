"""A Service with everything that is known of it at a moment; `explain` looks at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pilotfish.dashboard.tally import Tally
from pilotfish.dashboard.why import Why
from pilotfish.objects.load_balancing import load_balancing_of
from pilotfish.objects.meta import Object, labels_of, name_of, namespace_of

if TYPE_CHECKING:
    from pilotfish.dashboard.misses import Miss, WrongPort
    from pilotfish.dashboard.statistics import Part

_PROXY_NAME = "service.kubernetes.io/service-proxy-name"


@dataclass(frozen=True)
class Serving:
    """An endpoint, or a Pod that would be one.

    Attributes:
        name, namespace: of the Pod; of something else its name, and "".
        ip: "" for a Pod without an address.
        ports: numbers by name of the EndpointSlice's ports.
        node: where it is; "" for somewhere else.
        ready, terminating: as the EndpointSlice says.
        gone: it is no endpoint any more, but was asked.
        why: why it is not ready.
        parts: what it was asked.
        tally: the sum of that.
        fair: connections that it would have got on average with equal chances.
    """

    name: str
    namespace: str
    ip: str
    ports: Mapping[str, int]
    node: str
    ready: bool
    terminating: bool
    why: Why | None
    parts: Sequence[Part]
    tally: Tally
    fair: float
    gone: bool = False


@dataclass(frozen=True)
class Subject:
    """A Service.

    Attributes:
        service: the object.
        pods: those that the selector matches.
        neighbours: all Pods of the namespace, which the selector should perhaps match.
        strangers: Pods of other namespaces that it would match.
        serving: its endpoints, and Pods that would be.
        parts: what it was asked.
        tally: the sum of that.
        heaviest: requests of the connections that carried most, heaviest first.
        kernel: what the nodes' kernels hold for it: rows of `/v1/tables`, with their node.
        read_kernels: names of the nodes whose kernels could be read.
        nodes: names of all nodes.
        misses: names that clients asked for in vain and that are nearly its own.
        wrong_ports: ports at which clients asked it and that it does not have.
        now_s: the moment, seconds since 1970.
    """

    service: Object
    pods: Sequence[Object] = ()
    neighbours: Sequence[Object] = ()
    strangers: Sequence[Object] = ()
    serving: Sequence[Serving] = ()
    parts: Sequence[Part] = ()
    tally: Tally = field(default_factory=Tally)
    heaviest: Sequence[int] = ()
    kernel: Sequence[tuple[str, Mapping[str, Any]]] = ()
    read_kernels: Sequence[str] = ()
    nodes: Sequence[str] = ()
    misses: Sequence[Miss] = ()
    wrong_ports: Sequence[WrongPort] = ()
    now_s: float = 0.0

    @property
    def name(self) -> str:
        return name_of(self.service)

    @property
    def namespace(self) -> str:
        return namespace_of(self.service)

    @property
    def spec(self) -> Object:
        spec: Object = self.service.get("spec") or {}
        return spec

    @property
    def type(self) -> str:
        return str(self.spec.get("type") or "ClusterIP")

    @property
    def selector(self) -> dict[str, str]:
        return self.spec.get("selector") or {}

    @property
    def is_headless(self) -> bool:
        return self.spec.get("clusterIP") == "None"

    @property
    def is_proxied(self) -> bool:
        """Whether the kernel has anything to do with it."""
        return (
            self.type != "ExternalName"
            and not self.is_headless
            and _PROXY_NAME not in labels_of(self.service)
        )

    @property
    def has_affinity(self) -> bool:
        return bool(self.spec.get("sessionAffinity") == "ClientIP")

    @property
    def balancing(self) -> str:
        return load_balancing_of(self.service)

    @property
    def ready(self) -> list[Serving]:
        return [each for each in self.serving if each.ready]

    @property
    def present(self) -> list[Serving]:
        """All but those that are gone."""
        return [each for each in self.serving if not each.gone]
