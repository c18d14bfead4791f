"""How a cluster's state lies in etcd's keys. Pure.

    /registry/pods/default/web-1              an object, as JSON without its resourceVersion
    /registry/deployments.apps/default/web
    /registry/_revision                       written with every transaction: its own revision is
                                              that of the newest write of this cluster
    /registry/_claims/nodeports/30080         who holds a name that only one may hold
    /registry/_compaction                     when etcd was last asked to forget its history
    /registry/_cluster                        whose all this is
    /registry/_owner                          which machine runs it now

Resources begin with a small letter, so what begins with an underscore is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from pilotfish.apiserver.store.etcd.messages import (
    deleting,
    putting,
    range_request,
    ranging,
    transaction,
    unchanged_since,
)

if TYPE_CHECKING:
    from pilotfish.apiserver.store.interface import Transaction
    from pilotfish.objects.meta import Object


class Layout:
    """The keys under one prefix: "/registry"."""

    def __init__(self, prefix: str) -> None:
        root = prefix.encode() + b"/"
        self._root = root
        self.revision = root + b"_revision"
        self.compaction = root + b"_compaction"
        self.cluster = root + b"_cluster"
        self.owner = root + b"_owner"
        # All keys; "0" follows "/".
        self.everything = (root, root[:-1] + b"0")
        # All objects; "{" follows "z".
        self.first, self.end = root + b"a", root + b"{"

    def key(self, resource: str, key: str) -> bytes:
        """The key of an object."""
        return b"%b%b/%b" % (self._root, resource.encode(), key.encode())

    def place(self, key: bytes) -> tuple[str, str]:
        """The resource and key of an object, from its key in etcd."""
        resource, _, name = key[len(self._root) :].decode().partition("/")
        return resource, name

    def transaction(self, wanted: Transaction) -> bytes:
        """The request for a transaction of the registry.

        It succeeds if every object is still the version that its successor was made from, and
        nobody holds the claims. If not, it answers with the revision of the newest write.
        """
        compared: list[bytes] = []
        done = [putting(self.revision, b"")]
        for write in wanted.writes:
            key = self.key(write.collection.name, write.key)
            metadata = write.obj["metadata"]
            compared.append(unchanged_since(key, int(metadata.get("resourceVersion") or 0)))
            done.append(deleting(key) if write.removed else putting(key, value_of(write.obj)))
        holder = wanted.writes[0].key.encode()
        for name in wanted.claims:
            key = self._claim(name)
            compared.append(unchanged_since(key, 0))
            done.append(putting(key, holder))
        done += [deleting(self._claim(name)) for name in wanted.releases]
        return transaction(compared, done, [ranging(range_request(self.revision))])

    def _claim(self, name: str) -> bytes:
        return self._root + b"_claims/" + name.encode()


def value_of(obj: Object) -> bytes:
    """What is stored of an object: etcd knows its revision better than the object can."""
    metadata = obj["metadata"]
    if "resourceVersion" not in metadata:
        return orjson.dumps(obj)
    rest = {name: value for name, value in metadata.items() if name != "resourceVersion"}
    return orjson.dumps({**obj, "metadata": rest})
