"""A client whose watches show everything a while after it happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from pilotfish.client.api import Client
from pilotfish.objects.meta import Object

DELAY_S = 0.02


class LateClient(Client):
    """Who decides by what such a client shows decides on the past."""

    async def watch(self, *arguments: Any, **options: Any) -> AsyncIterator[tuple[str, Object]]:
        async for event in super().watch(*arguments, **options):
            await asyncio.sleep(DELAY_S)
            yield event
