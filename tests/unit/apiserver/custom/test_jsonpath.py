"""kubectl's JSONPath: what its paths find, what cannot be read, and what would take too long."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.apiserver.custom.jsonpath import readable, values_at
from pilotfish.apiserver.custom.jsonpath_steps import JsonPathError

OBJECT = {
    "a": {"b": 1},
    "c": [{"n": "x", "v": 1, "w": 1.5}, {"n": "y", "v": 2}, {"n": "z)"}],
    "d": {"e": 3},
    "d.e": 4,
    "nothing": None,
    "k-1": {"_x": True},
    "it's": "q",
}


def found(path: str) -> list[Any]:
    steps = readable(path)
    assert steps is not None
    return values_at(OBJECT, steps)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".a.b", [1]),
        (".c[1].n", ["y"]),
        (".c[-1].n", ["z)"]),
        (".c[*].n", ["x", "y", "z)"]),
        (".c.*.n", ["x", "y", "z)"]),
        (".c[].n", ["x"]),
        (".c[0:2].n", ["x", "y"]),
        (".c[1:].n", ["y", "z)"]),
        (".c[:1].n", ["x"]),
        (".c[::2].n", ["x", "z)"]),
        (".c[0:3:2].n", ["x", "z)"]),
        (".c[-2:].n", ["y", "z)"]),
        (".c[1:1].n", []),
        (".c[0,2].n", ["x", "z)"]),
        ("['a','d']", [{"b": 1}, {"e": 3}]),
        ('.c[?(@.n=="y")].v', [2]),
        (".c[?(@.n != 'y')].v", [1]),
        ('.c[?(@.n=="z)")].n', ["z)"]),
        (".c[?(@.v>1)].n", ["y"]),
        (".c[?(@.v >= 1)].n", ["x", "y"]),
        (".c[?(@.v<2)].n", ["x"]),
        (".c[?(@.v <= 2)].n", ["x", "y"]),
        (".c[?(@.w > 1.4)].n", ["x"]),
        (".c[?(@.v)].n", ["x", "y"]),
        (r".d\.e", [4]),
        # As in kubectl, a dot inside of quotes leads down.
        ("['d.e']", [3]),
        (r"['d\.e']", [4]),
        (".['a']", []),
        (".k-1._x", [True]),
        ("..v", [1, 2]),
        (".c..n", ["x", "y", "z)"]),
        (".nothing", [None]),
        (".nothing.here", []),
        (".a.b.c", []),
        (".c.n", []),
        (".a}{.d", [{"b": 1}]),
        (r""".c[?(@.n=="\x79")].v""", [2]),
        (".a 5", [5]),
    ],
)
def test_paths_find_what_they_find_in_kubectl(path: str, expected: list[Any]) -> None:
    assert found(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        ".a[",
        ".c[?(broken",
        '.c[?(@.n=="x" && @.v==1)]',
        '.c[?(@.n=~"x")]',
        '.["a"]',
        ".c[a]",
        ".c[1:2:3:4]",
        ".c[99999999999999999999]",
        ".....a",
        ".a |b",
        ".a{b}",
        ".a 1.2.3",
        '.c[?(@.n=="x\\q")]',
        ".a\n",
    ],
)
def test_what_kubectl_cannot_read_is_not_read(path: str) -> None:
    assert readable(path) is None


@pytest.mark.parametrize(
    "path",
    [
        ".c[3]",
        ".a[0]",
        ".c[2:1]",
        ".c[0:9]",
        ".c[::0]",
        ".a[?(@.b)]",
        ".nothing[?(@.b)]",
        '.c[?(@.v=="1")]',
        ".c[?(@.w==1)]",
        ".c[?(@.v<>1)]",
        ".c[?(@..n==1)]",
        ".c[?(true<@.v)]",
        ".a range",
    ],
)
def test_a_path_that_does_not_fit_the_object_is_told(path: str) -> None:
    with pytest.raises(JsonPathError):
        found(path)


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "..[*]..[*]..[*]",
        "[*].*.x",
        "[*].*['x','x','x','x']",
        f"[{','.join('0' * 200)}].*",
        "[?(@..[*])]",
    ],
)
def test_a_search_ends_however_much_a_path_could_lead_to(path: str) -> None:
    wide: Any = {str(number): {"x": [1]} for number in range(300)}
    steps = readable(path)
    assert steps is not None
    with pytest.raises(JsonPathError, match="more than 10000 values"):
        values_at([wide] * 40, steps)


def test_deep_objects_and_long_paths_are_no_matter_of_the_stack() -> None:
    deep: Any = {"v": 1}
    for _ in range(3000):
        deep = {"a": deep}
    steps, long = readable("..v"), readable(".a" * 3000 + ".v")
    assert steps and long
    assert values_at(deep, steps) == [1]
    assert values_at(deep, long) == [1]
