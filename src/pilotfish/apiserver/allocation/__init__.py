"""Addresses and ports that the API server hands out to Services."""

from __future__ import annotations

from pilotfish.apiserver.allocation.services import ServiceAllocator as ServiceAllocator
