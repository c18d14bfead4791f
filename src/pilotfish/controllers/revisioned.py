"""What controllers of Pods with revisions share: their caches, and whom a change concerns."""

from __future__ import annotations

from collections.abc import Iterable

from pilotfish.controllers.controller import Context, Controller, together
from pilotfish.controllers.pod_control import PodControl
from pilotfish.controllers.revisions import REVISIONS
from pilotfish.controllers.written import Written
from pilotfish.objects.meta import Object, controller_of, is_deleting, key_of, namespace_of


class RevisionedController(Controller):
    """Hears of its owners and of their Pods.

    Attributes:
        resource, kind: of the owners.
    """

    resource: str
    kind: str

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._owners = self.informer(self.resource)
        self._pods = self.informer("pods")
        self._revisions = self.informer(REVISIONS)
        self._written = Written(self._revisions)
        self._control = PodControl(self.client, self.events)
        self._owners.on_change(self._owner_changed)
        self._pods.on_change(self._pod_changed)

    def wants(self, owner: Object, orphan: Object) -> bool:
        """Whether an owner may take over a Pod that nobody controls."""
        raise NotImplementedError

    def _owner_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.enqueue(new)
        elif old is not None:
            self._control.expected.forget(key_of(old))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for pod, is_gone in ((old, new is None), (new, False)):
            reference = controller_of(pod) if pod else None
            if pod is not None and reference is not None and reference["kind"] == self.kind:
                key = f"{namespace_of(pod)}/{reference['name']}"
                self._control.saw(key, pod, is_gone)
                self.queue.add(key)
        if new is not None and controller_of(new) is None and not is_deleting(new):
            for owner in self._owners.by_index("namespace", namespace_of(new)):
                if self.wants(owner, new):
                    self.enqueue(owner)

    async def _carry_out(
        self, key: str, owner: Object, create: Iterable[Object], delete: Iterable[Object]
    ) -> None:
        """Create and delete Pods, all at once."""
        await together(
            [
                *(self._control.create(key, owner, pod) for pod in create),
                *(self._control.delete(key, owner, pod) for pod in delete),
            ]
        )
