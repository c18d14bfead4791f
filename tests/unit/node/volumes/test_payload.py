"""The files of configMap, secret, downwardAPI and projected volumes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pilotfish.node.downward import NodeFacts
from pilotfish.node.environment import Reference
from pilotfish.node.errors import MountFailed
from pilotfish.node.volumes.atomic import File
from pilotfish.node.volumes.payload import volume_files, wanted

FACTS = NodeFacts("node-1", "192.168.64.2", Decimal(2), 1 << 30, 1 << 40)
POD = {"metadata": {"name": "p", "namespace": "ns", "labels": {"a": 'say "x"'}}, "spec": {}}
CM, SECRET = Reference("configmap", "cm"), Reference("secret", "s")
OBJECTS: dict[Reference, Any] = {
    CM: {"data": {"a": "1", "b": "2"}, "binaryData": {"c": "/w=="}},
    SECRET: {"data": {"password": "cHc="}},
}


def files(
    volume: dict[str, Any], objects: dict[Reference, Any] = OBJECTS, **tokens: str
) -> dict[str, File]:
    return volume_files(POD, volume, objects, tokens, FACTS)


def test_every_key_is_a_file() -> None:
    volume = {"configMap": {"name": "cm", "defaultMode": 0o600}}
    assert wanted(volume) == {CM}
    assert files(volume) == {
        "a": File(b"1", 0o600),
        "b": File(b"2", 0o600),
        "c": File(b"\xff", 0o600),
    }


def test_items_choose_keys_names_and_modes() -> None:
    items = [{"key": "password", "path": "dir/pw", "mode": 0o400}]
    volume = {"secret": {"secretName": "s", "items": items}}
    assert wanted(volume) == {SECRET}
    assert files(volume) == {"dir/pw": File(b"pw", 0o400)}


def test_a_projected_volume_holds_all_of_its_sources() -> None:
    sources = [
        {"configMap": {"name": "cm", "items": [{"key": "a", "path": "a"}]}},
        {"secret": {"name": "s"}},
        {"serviceAccountToken": {"path": "token"}},
        {
            "downwardAPI": {
                "items": [
                    {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                ]
            }
        },
    ]
    volume = {"projected": {"sources": sources, "defaultMode": 0o644}}
    assert wanted(volume) == {CM, SECRET}
    found = files(volume, token="jwt")
    assert {name: file.content for name, file in found.items()} == {
        "a": b"1",
        "password": b"pw",
        "token": b"jwt",
        "labels": b'a="say \\"x\\""',
    }


@pytest.mark.parametrize(
    ("volume", "objects", "message"),
    [
        ({"configMap": {"name": "cm"}}, {}, 'configmap "cm" not found'),
        (
            {"configMap": {"name": "cm", "items": [{"key": "z", "path": "z"}]}},
            OBJECTS,
            "references non-existent configmap key: z",
        ),
        (
            {"configMap": {"name": "cm", "items": [{"key": "a", "path": "../a"}]}},
            OBJECTS,
            "leads outside of the volume",
        ),
    ],
)
def test_trouble_is_told_in_the_kubelets_words(
    volume: dict[str, Any], objects: dict[Reference, Any], message: str
) -> None:
    with pytest.raises(MountFailed, match=message):
        files(volume, objects)


def test_an_optional_source_may_be_missing() -> None:
    assert files({"secret": {"secretName": "s", "optional": True}}, {}) == {}
