"""Where the history of a cluster is kept."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from pilotfish.client.invoker import state_home

_MAX_NAME = 80


def history_root() -> Path:
    """The folder of all histories, in the user's state folder (XDG Base Directory 0.8)."""
    return state_home(os.environ) / "pilotfish" / "history"


def history_folder(context_name: str) -> Path:
    """The folder of a cluster, by the name of its context in the kubeconfig."""
    return history_root() / _slug(context_name)


def known_histories() -> list[str]:
    """The names of the folders that there are."""
    root = history_root()
    return sorted(path.name for path in root.iterdir()) if root.is_dir() else []


def _slug(name: str) -> str:
    """A file name; names that differ have slugs that differ."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:_MAX_NAME].lstrip(".")
    if safe == name and safe:
        return safe
    return f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
