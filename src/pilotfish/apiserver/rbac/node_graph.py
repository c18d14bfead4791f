"""The graph: which objects a node may read, because Pods that are bound to it refer to them.

Of each node that ever asked, the references of its Pods are kept, and follow the Pods as they are
bound and go. A question is a look-up; a write of a Pod costs something only when it binds the Pod,
since a bound Pod's references cannot change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from pilotfish.apiserver.collection import Change, Watcher
from pilotfish.apiserver.entries import Entry
from pilotfish.apiserver.rbac.pod_references import Reference, references
from pilotfish.apiserver.registry import Registry
from pilotfish.apiserver.selection import Selection

_NODE: Final = "spec.nodeName"


class _Needs:
    """What the Pods of one node refer to."""

    def __init__(self) -> None:
        self._of_pod: dict[str, frozenset[Reference]] = {}
        self._count: Counter[Reference] = Counter()

    def add(self, entry: Entry) -> None:
        self.remove(entry.key)
        found = self._of_pod[entry.key] = references(entry.decode())
        self._count.update(found)

    def remove(self, key: str) -> None:
        for reference in self._of_pod.pop(key, ()):
            self._count[reference] -= 1
            if not self._count[reference]:
                del self._count[reference]

    def __contains__(self, reference: Reference) -> bool:
        return reference in self._count


class NodeGraph(Watcher):
    """Answers what is related to which node."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._pods = registry.collection("pods")
        self._pods.watchers.add(self)
        self._needs: dict[str, _Needs] = {}

    def is_related(self, node: str, resource: str, key: str) -> bool:
        """Whether a Pod on the node refers to an object, or is that object.

        A PersistentVolume is related by the claim that it is bound to, a VolumeAttachment by the
        node that it names.
        """
        if resource in ("persistentvolumes", "volumeattachments"):
            return self._is_volume_related(node, resource, key)
        needs = self._needs.get(node)
        if needs is None:
            needs = self._needs[node] = self._learn(node)
        return (resource, key) in needs

    def offer(self, change: Change) -> None:
        """Take note of a change of a Pod."""
        entry, previous = change.entry, change.previous
        node = entry.fields[_NODE]
        needs = self._needs.get(node)
        if needs is None:
            return
        if change.removed:
            needs.remove(entry.key)
        elif previous is None or previous.fields[_NODE] != node:
            needs.add(entry)

    def resume(self, differences: Sequence[Change]) -> None:  # noqa: ARG002 - any may be missing
        """Learn again: a Pod may have gone and another have come under its name."""
        self._needs.clear()

    def _learn(self, node: str) -> _Needs:
        needs = _Needs()
        for entry in self._pods.select(Selection()):
            if entry.fields[_NODE] == node:
                needs.add(entry)
        return needs

    def _is_volume_related(self, node: str, resource: str, name: str) -> bool:
        if resource == "volumeattachments":
            entry = self._registry.collection("volumeattachments.storage.k8s.io").get(name)
            return entry is not None and entry.decode()["spec"].get("nodeName") == node
        entry = self._registry.collection(resource).get(name)
        claim = (entry.decode()["spec"].get("claimRef") or {}) if entry is not None else {}
        place = f"{claim.get('namespace', '')}/{claim.get('name', '')}"
        return self.is_related(node, "persistentvolumeclaims", place)
