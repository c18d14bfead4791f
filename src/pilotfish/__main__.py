"""`python -m pilotfish` is the `pilotfish` command."""

from __future__ import annotations

import sys

from pilotfish.cli.main import main

sys.exit(main())
