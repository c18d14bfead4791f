"""Tables: what `kubectl get` prints of each kind."""

from __future__ import annotations

from pilotfish.apiserver.tables.registry import table as table
