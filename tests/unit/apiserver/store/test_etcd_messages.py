"""etcd's messages, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.apiserver.collection import Collection
from pilotfish.apiserver.store.etcd import messages
from pilotfish.apiserver.store.etcd.layout import Layout, value_of
from pilotfish.apiserver.store.etcd.messages import Found, KeyValue
from pilotfish.apiserver.store.interface import Transaction, Write


def test_a_range_says_only_what_it_must() -> None:
    assert messages.range_request(b"k") == b"\x0a\x01k"
    wanted = b"\x0a\x01k\x12\x01l\x18\x05\x20\xac\x02\x40\x01"
    assert messages.range_request(b"k", b"l", limit=5, revision=300, keys_only=True) == wanted


def test_a_missing_key_is_compared_to_revision_zero_in_so_many_words() -> None:
    # A oneof that is left out would be no comparison at all.
    assert messages.unchanged_since(b"k", 0) == b"\x10\x02\x1a\x01k\x30\x00"


def test_an_answer_with_keys_is_read() -> None:
    pair = b"\x0a\x01k\x10\x02\x18\x07\x20\x03\x2a\x01v\x30\x09"
    answer = b"\x0a\x04\x08\x01\x18\x2a\x12" + bytes((len(pair),)) + pair + b"\x18\x01\x20\x05"
    assert messages.read_found(answer) == Found(42, [KeyValue(b"k", 7, 3, b"v")], more=True)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_message_are_a_value_error(data: bytes) -> None:
    for read in (messages.read_found, messages.read_outcome, messages.read_watched):
        try:
            read(data)
        except (ValueError, KeyError):
            continue


def write(name: str, version: str = "", removed: bool = False) -> Write:
    metadata = {"name": name, "namespace": "a"}
    if version:
        metadata["resourceVersion"] = version
    return Write(Collection("configmaps"), f"a/{name}", {"metadata": metadata}, removed)


def test_a_transaction_compares_each_object_and_each_claim() -> None:
    layout = Layout("/registry")
    old, new = write("old", "7", removed=True), write("new")
    claims, releases = ["nodeports/30080"], ["nodeports/30081"]
    assert layout.transaction(Transaction([old, new], claims, releases)) == messages.transaction(
        [
            messages.unchanged_since(b"/registry/configmaps/a/old", 7),
            messages.unchanged_since(b"/registry/configmaps/a/new", 0),
            messages.unchanged_since(b"/registry/_claims/nodeports/30080", 0),
        ],
        [
            messages.putting(b"/registry/_revision", b""),
            messages.deleting(b"/registry/configmaps/a/old"),
            messages.putting(b"/registry/configmaps/a/new", value_of(new.obj)),
            messages.putting(b"/registry/_claims/nodeports/30080", b"a/old"),
            messages.deleting(b"/registry/_claims/nodeports/30081"),
        ],
        [messages.ranging(messages.range_request(b"/registry/_revision"))],
    )


def test_a_stored_object_does_not_say_its_revision() -> None:
    obj = write("x", "7").obj
    assert value_of(obj) == b'{"metadata":{"name":"x","namespace":"a"}}'
    assert obj["metadata"]["resourceVersion"] == "7"


@pytest.mark.parametrize("resource", ["pods", "deployments.apps", "widgets.example.com"])
@pytest.mark.parametrize("key", ["a/b", "b"])
def test_keys_say_where_an_object_is(resource: str, key: str) -> None:
    layout = Layout("/clusters/x")
    stored = layout.key(resource, key)
    assert layout.place(stored) == (resource, key)
    assert layout.first <= stored < layout.end
    first, end = layout.everything
    for own in (layout.revision, layout.compaction, layout.cluster):
        assert first <= own < end
        assert not layout.first <= own < layout.end
