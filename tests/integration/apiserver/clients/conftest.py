"""What each client's tests share: the test Widgets' definition, installed."""

from __future__ import annotations

import pytest

from pilotfish.client.api import Client
from support.widgets import definition


@pytest.fixture
async def widgets(client: Client) -> None:
    """Widgets are served."""
    await client.create("customresourcedefinitions.apiextensions.k8s.io", definition())
