"""Content negotiation: in which shape the client wants its answer.

Beside the object itself: `Table` (what kubectl prints), `PartialObjectMetadata` (for clients
that look at metadata alone), and YAML. See "Alternate representations of resources" in the
Kubernetes documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from pilotfish.apiserver.collection import EventType, event_frame
from pilotfish.apiserver.entries import Page
from pilotfish.apiserver.errors import not_acceptable
from pilotfish.apiserver.tables import table
from pilotfish.apiserver.versions import from_stored, is_converted
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource

JSON: Final = "application/json"
YAML: Final = "application/yaml"
_SERVED: Final = f"{JSON}, {YAML}"
_JSON_RANGES: Final = frozenset({"", "*/*", "application/*", JSON})
_META: Final = "meta.k8s.io/v1"

As = Literal["", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the client accepts best of what can be produced."""

    shape: As = ""
    media_type: str = JSON
    wants_discovery_version: str = ""


PLAIN: Final = Wanted()


def negotiate(accept: str) -> Wanted:
    """Read an Accept header: the first media type that can be produced.

    Raises:
        StatusError: 406 when there is none (protobuf alone, for example).
    """
    if accept in _JSON_RANGES:
        return PLAIN
    for choice in accept.split(","):
        media_type, *parameters = (part.strip() for part in choice.split(";"))
        values = dict(parameter.partition("=")[::2] for parameter in parameters)
        shape = values.get("as", "")
        if media_type in _JSON_RANGES:
            if not shape:
                return PLAIN
            if values.get("g") == "meta.k8s.io" and values.get("v") == "v1":
                match shape:
                    case "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList":
                        return Wanted(shape)
            if values.get("g") == "apidiscovery.k8s.io":
                return Wanted(wants_discovery_version=values.get("v", ""))
        elif media_type in (YAML, "application/x-yaml", "text/yaml") and not shape:
            return Wanted(media_type=YAML)
    raise not_acceptable(_SERVED)


def shaped_object(wanted: Wanted, resource: Resource, data: bytes, include: str) -> bytes:
    """One object in the wanted shape.

    Args:
        data: the object as served, JSON.
        include: of a Table: how much of the objects its rows carry (`includeObject`).
    """
    if wanted.shape == "Table":
        obj: Object = orjson.loads(data)
        revision = obj["metadata"].get("resourceVersion", "")
        metadata = {"resourceVersion": revision} if revision else {}
        return orjson.dumps(_table(resource, [obj], include, metadata))
    if wanted.shape:
        return orjson.dumps(partial_metadata(orjson.loads(data)))
    return data


def shaped_list(wanted: Wanted, resource: Resource, page: Page, include: str) -> bytes:
    """A page of a list in the wanted shape."""
    metadata: Object = {"resourceVersion": str(page.revision)}
    if page.token:
        metadata["continue"] = page.token
    if page.remaining is not None:
        metadata["remainingItemCount"] = page.remaining
    items = [from_stored(resource, entry.data) for entry in page.entries]
    if not wanted.shape:
        return _list(resource, metadata, items)
    objects = [orjson.loads(item) for item in items]
    if wanted.shape == "Table":
        return orjson.dumps(_table(resource, objects, include, metadata))
    return orjson.dumps(
        {
            "kind": "PartialObjectMetadataList",
            "apiVersion": _META,
            "metadata": metadata,
            "items": [partial_metadata(obj) for obj in objects],
        }
    )


def _list(resource: Resource, metadata: Object, items: list[bytes]) -> bytes:
    """The list object around items that are encoded already."""
    head = b'{"kind":"%b","apiVersion":"%b","metadata":%b,"items":[' % (
        resource.list_kind.encode(),
        resource.api_version.encode(),
        orjson.dumps(metadata),
    )
    return b"".join((head, b",".join(items), b"]}"))


def watch_shape(
    wanted: Wanted, resource: Resource, include: str
) -> Callable[[EventType, bytes], bytes] | None:
    """How the events of a watch are framed; None where the stored object is what is sent."""
    if not wanted.shape:
        if not is_converted(resource):
            return None
        return lambda event, data: event_frame(
            event, data if event == "BOOKMARK" else from_stored(resource, data)
        )
    if wanted.shape != "Table":
        return lambda event, data: event_frame(
            event, orjson.dumps(partial_metadata(orjson.loads(data)))
        )
    return _TableFrames(resource, include)


class _TableFrames:
    """Frames around one-row Tables; only the first of a watch tells the columns."""

    def __init__(self, resource: Resource, include: str) -> None:
        self._resource = resource
        self._include = include
        self._told_columns = False

    def __call__(self, event: EventType, data: bytes) -> bytes:
        if event == "BOOKMARK":
            metadata = orjson.loads(data)["metadata"]
            return event_frame(event, self._encoded([], metadata))
        obj: Object = orjson.loads(from_stored(self._resource, data))
        return event_frame(
            event, self._encoded([obj], {"resourceVersion": obj["metadata"]["resourceVersion"]})
        )

    def _encoded(self, objects: list[Object], metadata: Object) -> bytes:
        rows = _table(self._resource, objects, self._include, metadata)
        if self._told_columns:
            rows["columnDefinitions"] = None
        self._told_columns = True
        return orjson.dumps(rows)


def _table(
    resource: Resource, objects: Sequence[Object], include: str, metadata: Object
) -> dict[str, Any]:
    rows = table(resource, objects)
    rows["metadata"] = metadata
    for row, obj in zip(rows["rows"], objects, strict=True):
        if include == "Object":
            row["object"] = obj
        elif include != "None":
            row["object"] = partial_metadata(obj)
    return rows


def partial_metadata(obj: Mapping[str, Any]) -> Object:
    """An object's metadata alone, as PartialObjectMetadata."""
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": obj["metadata"]}
