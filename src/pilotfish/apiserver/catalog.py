"""The catalog: which resources the server serves now, by path and by kind.

It begins with the built-in ones and can grow and shrink while the server runs, as custom
resources come and go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

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
    """The resources being served.

    A look-up costs the same with many hundreds of custom resources as with none: everything that
    is asked for often is kept by group and version.
    """

    def __init__(self, resources: Iterable[Resource] = RESOURCES) -> None:
        self._by_version: dict[tuple[str, str], dict[str, Resource]] = {}
        self._groups: dict[str, list[str]] | None = None
        # Changes whenever the set does; what is made from it is remembered under this number.
        self.generation = 0
        for resource in resources:
            self.add(resource)

    def __iter__(self) -> Iterator[Resource]:
        for resources in self._by_version.values():
            yield from resources.values()

    def add(self, resource: Resource) -> None:
        """Serve a resource."""
        place = (resource.group, resource.version)
        if place not in self._by_version:
            self._by_version[place] = {}
            self._groups = None
        self._by_version[place][resource.plural] = resource
        self.generation += 1

    def remove(self, resource: Resource) -> None:
        """Serve it no longer."""
        place = (resource.group, resource.version)
        resources = self._by_version[place]
        del resources[resource.plural]
        if not resources:
            del self._by_version[place]
            self._groups = None
        self.generation += 1

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource at /apis/group/version/plural; None if there is none."""
        return self._by_version.get((group, version), {}).get(plural)

    def groups(self) -> Mapping[str, Sequence[str]]:
        """The versions of each group, preferred first; groups in discovery's order."""
        if self._groups is None:
            self._groups = self._sorted_groups()
        return self._groups

    def _sorted_groups(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for group, version in self._by_version:
            found.setdefault(group, []).append(version)
        for versions in found.values():
            versions.sort(key=version_priority)
        order = {group: index for index, group in enumerate(_GROUP_ORDER)}
        return dict(sorted(found.items(), key=lambda item: (order.get(item[0], 99), item[0])))

    def of_version(self, group: str, version: str) -> list[Resource]:
        """The resources of one group version, by name."""
        resources = self._by_version.get((group, version), {})
        return [resources[plural] for plural in sorted(resources)]
