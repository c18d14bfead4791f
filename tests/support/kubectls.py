"""The kubectls and helm that tests drive: the one on the PATH, and what tools/setup fetched.

KUBECTLS names further ones (paths, separated by colons): kubectl has changed its protocols and
its ways of applying from version to version.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_FETCHED = Path(__file__).resolve().parents[2] / ".cache" / "clients"

KUBECTLS = [
    "kubectl",
    *(str(path) for path in sorted(_FETCHED.glob("kubectl*"))),
    *filter(None, os.environ.get("KUBECTLS", "").split(":")),
]
HELM = shutil.which("helm", path=os.pathsep.join((os.environ.get("PATH", ""), str(_FETCHED))))
