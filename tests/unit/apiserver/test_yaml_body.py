"""YAML in a request's body: what JSON it becomes, and where its bounds are."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pilotfish.apiserver.limits import MAX_BODY, MAX_DEPTH
from pilotfish.apiserver.yaml_body import YamlError, yaml_to_json


async def read(text: str) -> Any:
    return json.loads((await yaml_to_json(text.encode())).body)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: {b: [1, x, ~]}", {"a": {"b": [1, "x", None]}}),
        ("80: a\ntrue: b\n1.5: c", {"80": "a", "true": "b", "1.5": "c"}),
        ("'80': y\n\"y\": 'y'", {"80": True, "y": "y"}),
        ("", None),
        ("# nothing", None),
        ("---\na: 1\n---\nb: 2", {"a": 1}),
        ("a: 1\n--- [unread", {"a": 1}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        ("c: {<<: [{a: 1, b: 1}, {a: 2, z: 2}]}", {"c": {"a": 1, "b": 1, "z": 2}}),
        ("a: {'<<': 1}", {"a": {"<<": 1}}),
        ("&k a: 1\nb: *k", {"a": 1, "b": "a"}),
        ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ("a: !!str 5", {"a": "5"}),
        ("a: ! 5", {"a": 5}),
    ],
)
async def test_a_document_becomes_json(text: str, value: Any) -> None:
    assert await read(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "yaml: line 2: did not find expected node content"),
        ("a: .nan", "unsupported value"),
        ("~: 1", "unsupported map key"),
        ("[a]: 1", "invalid map key"),
        ("a: &x [*x]", "value contains itself"),
        ("a: *x", "unknown anchor 'x' referenced"),
        ("a: {<<: 1}", "map merge requires map"),
        ("[" * 30_000, "exceeded max depth"),
        ("{a: " * 30_000, "exceeded max depth"),
        ("- " * 30_000 + "x", "exceeded max depth"),
        ("? " * 30_000 + "x", "invalid map key"),
        ("%TAG !a! x\n" * 10_000 + "--- a", "more than 16 directives"),
    ],
)
async def test_what_is_no_yaml_or_too_much_is_refused(text: str, why: str) -> None:
    with pytest.raises(YamlError, match=why.replace("[", "\\[")):
        await read(text)


def bomb(use: str) -> str:
    lines = ["a0: &a0 {k: " + "x" * 100 + "}"]
    lines += [f"a{n}: &a{n} " + use.format(f"*a{n - 1}") for n in range(1, 40)]
    return "\n".join(lines)


@pytest.mark.parametrize("use", ["[{0}, {0}]", "{{p: {0}, q: {0}}}", "{{<<: {0}, z: {0}}}"])
async def test_aliases_expand_to_a_bound(use: str) -> None:
    with pytest.raises(YamlError, match=r"excessive aliasing|max depth"):
        await read(bomb(use))


async def test_aliases_do_not_add_depth_unseen() -> None:
    text = f"a: &a {'[' * 150}{']' * 150}\nb: {'[' * 100}*a{']' * 100}"
    with pytest.raises(YamlError, match="max depth"):
        await read(text)
    await read("[" * MAX_DEPTH + "]" * MAX_DEPTH)


async def test_keys_that_stand_twice_are_told_to_strict_readers() -> None:
    found = await yaml_to_json(b"a: 1\nb:\n  c: 1\n  c: 2\na: 2\n")
    assert json.loads(found.body) == {"a": 2, "b": {"c": 2}}
    assert found.duplicates == (
        'yaml: unmarshal errors:\n  line 4: key "c" already set in map\n'
        '  line 5: key "a" already set in map'
    )


async def test_other_tasks_run_while_a_long_document_is_read() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await yaml_to_json(b"- a\n" * 50_000)
    counting.cancel()
    assert turns >= 50


async def test_utf16_is_read_and_broken_utf8_is_refused() -> None:
    assert json.loads((await yaml_to_json("a: é".encode("utf-16"))).body) == {"a": "é"}
    with pytest.raises(YamlError, match="invalid UTF-8"):
        await yaml_to_json(b"a: \xff\xfe")


async def test_a_body_that_grows_beyond_the_limit_is_refused() -> None:
    with pytest.raises(YamlError):
        await yaml_to_json(b"- ''\n" * (MAX_BODY // 3 + 1))
