"""What the nodes' kernels hold, asked of each node's proxy through the API server.

Kernels are read live, so they are read only while somebody looks.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pilotfish.client.errors import ApiError, Unreachable
from pilotfish.objects.meta import Object, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pilotfish.client.api import Client

log = logging.getLogger(__name__)

PORT = 10249
EVERY_S = 1.0
# A node that does not answer is left alone for a while.
_PAUSE_S = 10.0
_TIMEOUT_S = 3.0


@dataclass(frozen=True)
class Kernel:
    """One node's kernel. problem: why it could not be read; fronts: as the proxy tells them."""

    problem: str = ""
    fronts: list[dict[str, Any]] = field(default_factory=list)


class SlotsPoller:
    """Reads kernels while they are `wanted`.

    Attributes:
        wanted: whether somebody looks.
        kernels: what was read last, by node; {} while nobody looks.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._wanted = asyncio.Event()
        self._again_s: dict[str, float] = {}
        self.kernels: dict[str, Kernel] = {}

    @property
    def wanted(self) -> bool:
        return self._wanted.is_set()

    @wanted.setter
    def wanted(self, value: bool) -> None:
        if value:
            self._wanted.set()
        else:
            self._wanted.clear()

    async def run(self, nodes: Callable[[], Iterable[Object]]) -> None:
        """Read until cancelled. nodes: all Nodes, asked each time."""
        while True:
            await self._wanted.wait()
            names = [name_of(node) for node in nodes()]
            await asyncio.gather(*(self._look(name) for name in names))
            self.kernels = {name: self.kernels[name] for name in names}
            await asyncio.sleep(EVERY_S)
            if not self.wanted:
                self.kernels = {}

    async def _look(self, node: str) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s < self._again_s.get(node, 0.0):
            return
        try:
            self.kernels[node] = await self._read(node)
        except (ApiError, Unreachable, TimeoutError) as error:
            self._again_s[node] = now_s + _PAUSE_S
            problem = error.message if isinstance(error, ApiError) else str(error)
            self.kernels[node] = Kernel(problem or f"no answer for {_TIMEOUT_S:g} s")
            log.debug("%s: kernel not read: %s", node, problem)

    async def _read(self, node: str) -> Kernel:
        path = f"/api/v1/nodes/https:{node}:{PORT}/proxy/v1/tables"
        async with asyncio.timeout(_TIMEOUT_S):
            answer = await self._client.request("GET", path)
        return Kernel(fronts=answer.get("fronts") or [])
