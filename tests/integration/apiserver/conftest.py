"""An API server for each test, and the administrator's client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pilotfish.client.api import Client
from support.apiserver import RunningApiServer, running_api_server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningApiServer]:
    """A fresh API server."""
    async with running_api_server(tmp_path) as server:
        yield server


@pytest.fixture
async def client(server: RunningApiServer) -> AsyncIterator[Client]:
    """Its administrator."""
    async with Client(server.client_config()) as client:
        yield client
