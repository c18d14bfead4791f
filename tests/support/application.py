"""Names of the go-demo-2 application in the end-to-end tests."""

from __future__ import annotations

import os
from pathlib import Path

# Test runs beside each other on one machine have clusters of their own.
PREFIX = "e2e-"
NAME = f"{PREFIX}{os.getpid()}"
EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "go-demo-2"
API_LABELS = "type=api,service=go-demo-2"
ALL_IN_ONE_LABELS = "type=backend,service=go-demo-2"
DATABASE_LABELS = "type=db,service=go-demo-2"
