"""The catalog: which resources the server serves now, by path and by kind.

It begins with the built-in ones and can grow and shrink while the server runs, as custom
resources come and go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pilotfish.apiserver.custom.resource import version_priority
from pilotfish.objects.resources import RESOURCES, Resource

# Groups in the order in which kube-apiserver's discovery lists them (its priority); kubectl
# resolves a name that several groups have to the first.
_GROUP_ORDER = (
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
)


class Catalog:
    """The resources being served."""

    def __init__(self, resources: Iterable[Resource] = RESOURCES) -> None:
        self._by_path: dict[tuple[str, str, str], Resource] = {}
        # Changes whenever the set does; what is made from it is remembered under this number.
        self.generation = 0
        for resource in resources:
            self.add(resource)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_path.values())

    def add(self, resource: Resource) -> None:
        """Serve a resource."""
        self._by_path[resource.group, resource.version, resource.plural] = resource
        self.generation += 1

    def remove(self, resource: Resource) -> None:
        """Serve it no longer."""
        del self._by_path[resource.group, resource.version, resource.plural]
        self.generation += 1

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource at /apis/group/version/plural; None if there is none."""
        return self._by_path.get((group, version, plural))

    def groups(self) -> dict[str, list[str]]:
        """The versions of each group, preferred first; groups in discovery's order."""
        found: dict[str, list[str]] = {}
        for group, version, _ in self._by_path:
            versions = found.setdefault(group, [])
            if version not in versions:
                versions.append(version)
        for versions in found.values():
            versions.sort(key=version_priority)
        order = {group: index for index, group in enumerate(_GROUP_ORDER)}
        return dict(sorted(found.items(), key=lambda item: (order.get(item[0], 99), item[0])))

    def of_version(self, group: str, version: str) -> list[Resource]:
        """The resources of one group version, by name."""
        return sorted(
            (r for r in self._by_path.values() if (r.group, r.version) == (group, version)),
            key=lambda resource: resource.plural,
        )
