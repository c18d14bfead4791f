"""What the API server fills in where a manifest says nothing."""

from __future__ import annotations

from pilotfish.apiserver.defaulting.registry import apply_defaults as apply_defaults
