"""JSON patch: the operations of RFC 6902 and what it refuses."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.apiserver.patches.errors import PatchError, PatchFailedError
from pilotfish.apiserver.patches.json import json_patch

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        # RFC 6902 appendix A.
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": 1}], {"foo": "bar", "baz": 1}),
        ({"foo": [1, 3]}, [{"op": "add", "path": "/foo/1", "value": 2}], {"foo": [1, 2, 3]}),
        ({"foo": [1]}, [{"op": "add", "path": "/foo/-", "value": 2}], {"foo": [1, 2]}),
        ({"baz": 1, "foo": 2}, [{"op": "remove", "path": "/baz"}], {"foo": 2}),
        ({"foo": [1, 2, 3]}, [{"op": "remove", "path": "/foo/1"}], {"foo": [1, 3]}),
        ({"baz": 1}, [{"op": "replace", "path": "/baz", "value": 2}], {"baz": 2}),
        (
            {"foo": {"bar": 1}, "qux": {}},
            [{"op": "move", "from": "/foo/bar", "path": "/qux/thud"}],
            {"foo": {}, "qux": {"thud": 1}},
        ),
        (
            {"foo": [1, 2]},
            [{"op": "copy", "from": "/foo", "path": "/b"}],
            {"foo": [1, 2], "b": [1, 2]},
        ),
        ({"a/b": 1, "m~n": 2}, [{"op": "remove", "path": "/a~1b"}], {"m~n": 2}),
        ({"a/b": 1, "m~n": 2}, [{"op": "remove", "path": "/m~0n"}], {"a/b": 1}),
        ({"a": 1}, [{"op": "test", "path": "/a", "value": 1}], {"a": 1}),
        ({"a": 1}, [{"op": "replace", "path": "", "value": {"b": 2}}], {"b": 2}),
    ],
)
def test_operations_do_what_the_rfc_says(document: Any, patch: Any, result: Any) -> None:
    assert json_patch(document, patch) == result


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/nowhere"},
        {"op": "replace", "path": "/nowhere", "value": 1},
        {"op": "add", "path": "/list/9", "value": 1},
        {"op": "add", "path": "/list/01", "value": 1},
        {"op": "add", "path": "/no/where", "value": 1},
        {"op": "test", "path": "/flag", "value": 1},
    ],
)
def test_an_operation_that_does_not_fit_the_document_fails(operation: dict[str, Any]) -> None:
    with pytest.raises(PatchFailedError):
        json_patch({"list": [1], "flag": True}, [operation])


@pytest.mark.parametrize(
    "patch",
    [
        {"op": "remove", "path": "/a"},
        [{"op": "remove"}],
        [{"op": "add", "path": "/a"}],
        [{"op": "move", "path": "/a"}],
        [{"op": "add", "path": "a", "value": 1}],
    ],
)
def test_what_is_no_patch_is_refused(patch: Any) -> None:
    with pytest.raises(PatchError):
        json_patch({"a": 1}, patch)


def test_an_unknown_operation_does_not_apply() -> None:
    with pytest.raises(PatchFailedError, match="Unexpected kind: fold"):
        json_patch({"a": 1}, [{"op": "fold", "path": "/a"}])


def test_copies_that_double_a_document_end_at_a_bound() -> None:
    doubling = [{"op": "copy", "from": "", "path": f"/k{n}"} for n in range(40)]
    with pytest.raises(PatchFailedError, match="accumulated size increase of copy"):
        json_patch({"a": "x" * 1000}, doubling)
    deepening = [{"op": "copy", "from": "/a", "path": "/a" * (1 << n)} for n in range(1, 12)]
    with pytest.raises(PatchFailedError):
        json_patch({"a": {"a": {}}}, deepening)


@given(JSON, JSON)
def test_adding_and_removing_a_key_leaves_the_document_as_it_was(before: Any, value: Any) -> None:
    document = {"kept": before}
    patch = [{"op": "add", "path": "/new", "value": value}, {"op": "remove", "path": "/new"}]
    assert json_patch(copy.deepcopy(document), patch) == document
