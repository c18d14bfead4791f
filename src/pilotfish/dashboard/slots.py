"""What the nodes' kernels hold, asked of each node's proxy through the API server."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pilotfish.client.errors import ApiError, Unreachable
from pilotfish.objects.meta import Object, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilotfish.client.api import Client

log = logging.getLogger(__name__)

PORT = 10249
# A node that does not answer is left alone for a while.
_PAUSE_S = 10.0
_TIMEOUT_S = 3.0


@dataclass(frozen=True)
class Kernel:
    """One node's kernel. problem: why it could not be read; fronts: as the proxy tells them."""

    problem: str = ""
    fronts: list[dict[str, Any]] = field(default_factory=list)


class SlotsPoller:
    """Reads kernels.

    Attributes:
        kernels: what was read last, by node.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._again_s: dict[str, float] = {}
        self.kernels: dict[str, Kernel] = {}

    async def look(self, nodes: Iterable[Object]) -> None:
        """Read the kernels of these Nodes, but for those that did not answer lately."""
        names = [name_of(node) for node in nodes]
        found = dict(zip(names, await asyncio.gather(*map(self._look, names)), strict=True))
        self.kernels = found

    async def _look(self, node: str) -> Kernel:
        now_s = asyncio.get_running_loop().time()
        if now_s < self._again_s.get(node, 0.0):
            return self.kernels.get(node, Kernel("is read for the first time"))
        try:
            return await self._read(node)
        except (ApiError, Unreachable, TimeoutError) as error:
            self._again_s[node] = now_s + _PAUSE_S
            problem = error.message if isinstance(error, ApiError) else str(error)
            log.debug("%s: kernel not read: %s", node, problem)
            return Kernel(problem or f"no answer for {_TIMEOUT_S:g} s")

    async def _read(self, node: str) -> Kernel:
        path = f"/api/v1/nodes/https:{node}:{PORT}/proxy/v1/tables"
        async with asyncio.timeout(_TIMEOUT_S):
            answer = await self._client.request("GET", path)
        return Kernel(fronts=answer.get("fronts") or [])
