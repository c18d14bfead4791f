"""Which container a request is about."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.connect.containers import DEFAULT_CONTAINER, container_of
from pilotfish.apiserver.errors import StatusError
from pilotfish.objects.meta import Object


def pod(*names: str, init: tuple[str, ...] = (), default: str = "") -> Object:
    return {
        "metadata": {"name": "x", "annotations": {DEFAULT_CONTAINER: default} if default else {}},
        "spec": {
            "containers": [{"name": name} for name in names],
            "initContainers": [{"name": name} for name in init],
            "ephemeralContainers": [{"name": "debugger"}],
        },
    }


def test_the_only_container_needs_no_name() -> None:
    assert container_of(pod("a"), "") == "a"
    assert container_of(pod("a", init=("first",)), "") == "a"


def test_the_annotation_chooses_among_several() -> None:
    assert container_of(pod("a", "b", default="b"), "") == "b"


@pytest.mark.parametrize("name", ["a", "b", "first", "debugger"])
def test_every_kind_of_container_can_be_named(name: str) -> None:
    assert container_of(pod("a", "b", init=("first",)), name) == name


@pytest.mark.parametrize(
    ("found", "asked", "complaint"),
    [
        (
            pod("a", "b"),
            "",
            "a container name must be specified for pod x, choose one of: [a b]",
        ),
        (
            pod("a", "b", init=("first",)),
            "",
            "a container name must be specified for pod x, choose one of: [a b]"
            " or one of the init containers: [first]",
        ),
        (
            pod("a", "b", default="gone"),
            "",
            "a container name must be specified for pod x, choose one of: [a b]",
        ),
        (pod("a"), "nobody", "container nobody is not valid for pod x"),
    ],
)
def test_what_is_not_clear_is_refused(found: Object, asked: str, complaint: str) -> None:
    with pytest.raises(StatusError) as caught:
        container_of(found, asked)
    assert (caught.value.code, caught.value.message) == (400, complaint)
