"""Which shape a client gets for what it accepts."""

from __future__ import annotations

import orjson
import pytest

from pilotfish.apiserver.errors import StatusError
from pilotfish.apiserver.negotiation import PLAIN, Wanted, negotiate, shaped_object, watch_shape
from pilotfish.objects.resources import resource

KUBECTL_GET = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,"
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)
MAPS = resource("configmaps")
OBJECT = orjson.dumps(
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "a",
            "resourceVersion": "7",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "data": {"x": "y"},
    }
)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        ("application/json, */*", PLAIN),
        ("application/vnd.kubernetes.protobuf,application/json", PLAIN),
        (KUBECTL_GET, Wanted("Table")),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", PLAIN),
        ("application/yaml", Wanted(media_type="application/yaml")),
        (
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
            Wanted(wants_discovery_version="v2"),
        ),
    ],
)
def test_the_first_shape_that_can_be_made_is_chosen(accept: str, wanted: Wanted) -> None:
    assert negotiate(accept) == wanted


def test_nothing_that_can_be_made_is_an_error() -> None:
    with pytest.raises(StatusError) as refusal:
        negotiate("application/vnd.kubernetes.protobuf")
    assert refusal.value.code == 406


@pytest.mark.parametrize(
    ("include", "kind"), [("Metadata", "PartialObjectMetadata"), ("Object", "ConfigMap")]
)
def test_a_row_carries_as_much_of_its_object_as_asked(include: str, kind: str) -> None:
    table = orjson.loads(shaped_object(Wanted("Table"), MAPS, OBJECT, include))
    assert table["metadata"] == {"resourceVersion": "7"}
    assert table["rows"][0]["object"]["kind"] == kind
    assert table["rows"][0]["cells"][:2] == ["a", 1]


def test_only_the_first_table_of_a_watch_tells_its_columns() -> None:
    shape = watch_shape(Wanted("Table"), MAPS, "None")
    assert shape is not None
    first, second = (orjson.loads(shape("ADDED", OBJECT)) for _ in range(2))
    assert first["object"]["columnDefinitions"]
    assert second["object"]["columnDefinitions"] is None
