"""Entries: an object as the server keeps it, encoded once, with what selectors look at.

The whole object is never kept decoded: 20,000 Pods as bytes are 60 MB, as dicts half a
gigabyte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import orjson

from pilotfish.objects.meta import Object

_NO_LABELS: Final[Mapping[str, str]] = {}

# What field selectors can ask an object for.
FieldsOf = Callable[[Object], Mapping[str, str]]


class Entry:
    """One version of one object.

    Attributes:
        key: `namespace/name`, or `name` when cluster-scoped.
        revision: its resourceVersion.
        data: the object as JSON.
        labels: the object's labels.
        fields: what field selectors can ask for.
    """

    __slots__ = ("data", "fields", "key", "labels", "revision")

    def __init__(
        self,
        key: str,
        revision: int,
        data: bytes,
        labels: Mapping[str, str],
        fields: Mapping[str, str],
    ) -> None:
        self.key = key
        self.revision = revision
        self.data = data
        self.labels = labels
        self.fields = fields

    def decode(self) -> Object:
        """A fresh copy of the object, free to be changed."""
        obj: Object = orjson.loads(self.data)
        return obj


def encode(fields_of: FieldsOf, key: str, revision: int, obj: Object) -> Entry:
    """Encode an object at its revision; sets metadata.resourceVersion in `obj`.

    Revision 0 is that of an object that was never written (a dry run): it carries none.
    """
    metadata = obj["metadata"]
    if revision:
        metadata["resourceVersion"] = str(revision)
    else:
        metadata.pop("resourceVersion", None)
    # The encoder's buffer is up to twice its content; what is kept is a copy of the right size.
    data = bytes(memoryview(orjson.dumps(obj)))
    return Entry(
        key,
        revision,
        data,
        metadata.get("labels") or _NO_LABELS,
        fields_of(obj),
    )


def decode_entry(fields_of: FieldsOf, key: str, revision: int, data: bytes) -> Entry:
    """An entry from the bytes that the store kept."""
    obj: Object = orjson.loads(data)
    return Entry(
        key,
        revision,
        data,
        obj["metadata"].get("labels") or _NO_LABELS,
        fields_of(obj),
    )


class Page(NamedTuple):
    """A list of objects, or a part of one.

    Attributes:
        entries: the objects.
        revision: the moment that is shown.
        token: where the next page goes on; "" on the last.
        remaining: how many objects are still to come; None when not counted.
    """

    entries: Sequence[Entry]
    revision: int
    token: str = ""
    remaining: int | None = None
