"""Why an object is refused: pure checks in the words of kube-apiserver."""

from __future__ import annotations

from pilotfish.apiserver.validation.registry import validate_create as validate_create
from pilotfish.apiserver.validation.registry import validate_update as validate_update
