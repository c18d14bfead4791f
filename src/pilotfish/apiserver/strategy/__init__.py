"""What the API server itself decides about an object before it is validated and written."""

from __future__ import annotations

from pilotfish.apiserver.strategy.registry import prepare_for_create as prepare_for_create
from pilotfish.apiserver.strategy.registry import prepare_for_update as prepare_for_update
