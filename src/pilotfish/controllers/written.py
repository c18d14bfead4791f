"""A controller's own writes, ahead of the cache that has not seen them yet.

What a controller wrote a moment ago may not have come back through the watch.
Deciding on the older cache would repeat the write, or fight it. So the
controller notes the objects that the API server answered with and lays them
over what the cache shows, until the cache has caught up.

A resourceVersion is compared as a number, which the API guarantees since
Kubernetes 1.35 ("Resource versions" in the API concepts).
"""

from __future__ import annotations

from collections.abc import Iterable

from pilotfish.client.informer import Informer
from pilotfish.controllers.informers import owner_uids
from pilotfish.objects.meta import Object, key_of, uid_of


class Written:
    """Notes of one controller's writes to one resource."""

    def __init__(self, informer: Informer) -> None:
        self._informer = informer
        self._notes: dict[str, Object] = {}
        self._gone: set[str] = set()
        self._sent: dict[str, Object] = {}
        informer.on_change(self._caught_up)

    def note(self, obj: Object) -> None:
        """The API server answered a write with this object."""
        cached = self._informer.get(key_of(obj))
        if cached is None or version_of(cached) < version_of(obj):
            self._notes[key_of(obj)] = obj

    def sending(self, obj: Object) -> None:
        """The controller is about to write this object: the watch may show it before the answer."""
        self._sent[key_of(obj)] = obj

    def is_echo(self, obj: Object) -> bool:
        """Whether the watch shows just what was sent last, so that there is nothing to do."""
        sent = self._sent.get(key_of(obj))
        if sent is None or _content(sent) != _content(obj):
            return False
        del self._sent[key_of(obj)]
        return True

    def note_deleted(self, obj: Object) -> None:
        """The API server has deleted this object."""
        self._notes.pop(key_of(obj), None)
        cached = self._informer.get(key_of(obj))
        if cached is not None and uid_of(cached) == uid_of(obj):
            self._gone.add(uid_of(obj))

    def forget(self, obj: Object) -> None:
        """The note turned out to be wrong: the API server knows no such object."""
        self._notes.pop(key_of(obj), None)
        self._gone.discard(uid_of(obj))

    def latest(self, key: str) -> Object | None:
        """The object of that key as last written or seen."""
        obj = self._notes.get(key) or self._informer.get(key)
        return None if obj is None or uid_of(obj) in self._gone else obj

    def over(self, cached: Iterable[Object], owner_uid: str) -> list[Object]:
        """The cached objects as last written, and the owner's that the cache still lacks."""
        seen = {key_of(obj): obj for obj in cached}
        for key, noted in self._notes.items():
            if key in seen or owner_uid in owner_uids(noted):
                seen[key] = noted
        return [obj for obj in seen.values() if uid_of(obj) not in self._gone]

    def _caught_up(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            if old is not None:
                self._gone.discard(uid_of(old))
                self._sent.pop(key_of(old), None)
                noted = self._notes.get(key_of(old))
                if noted is not None and version_of(noted) <= version_of(old):
                    del self._notes[key_of(old)]
            return
        noted = self._notes.get(key_of(new))
        if noted is not None and version_of(new) >= version_of(noted):
            del self._notes[key_of(new)]


def _content(obj: Object) -> Object:
    """What a controller writes: all but the metadata that the API server keeps."""
    metadata = obj["metadata"]
    parts = {key: value for key, value in obj.items() if key not in ("metadata", "kind")}
    return parts | {field: metadata.get(field) for field in ("labels", "annotations")}


def version_of(obj: Object) -> int:
    """The object's resourceVersion as a number."""
    return int(obj["metadata"]["resourceVersion"])
