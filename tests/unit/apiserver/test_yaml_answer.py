"""JSON as YAML: read again it is the same, by PyYAML and as Kubernetes reads it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.apiserver.yaml_answer import json_to_yaml
from pilotfish.apiserver.yaml_body import yaml_to_json

TEXT = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["yes", "n", "1e5", "1:30", "2026-01-01", "- a", "a: b", "#", "", "null", "\x85", "a\nb\n"]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(-1e15, 1e15, allow_subnormal=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_yaml_read_again_is_the_same(value: Any) -> None:
    async def there_and_back() -> tuple[Any, Any]:
        text = await json_to_yaml(json.dumps(value).encode())
        return json.loads((await yaml_to_json(text)).body), yaml.safe_load(text)

    kubernetes, pyyaml = asyncio.run(there_and_back())
    assert kubernetes == value
    assert pyyaml == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": {"b": ["x", {"c": 1, "d": []}]}}, "a:\n  b:\n  - x\n  - c: 1\n    d: []\n"),
        ([[1, 2], {}], "- - 1\n  - 2\n- {}\n"),
        ({"on": "on"}, '"on": "on"\n'),
    ],
)
async def test_lines_are_as_kubernetes_writes_them(value: Any, text: str) -> None:
    assert (await json_to_yaml(json.dumps(value).encode())).decode() == text
