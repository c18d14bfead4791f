"""One node of its own for the kubelet's tests."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.lone_node import LoneNode, lone_node


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LoneNode]:
    """The node, shared by a module's tests; each takes names of its own for its Pods."""
    if os.geteuid() != 0:
        pytest.skip("containers need root")
    async with lone_node(tmp_path_factory.mktemp("node")) as running:
        yield running
