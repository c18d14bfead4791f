"""Removing what is left of a Pod on disk: mounts first, then files."""

from __future__ import annotations

import logging

from pilotfish.node import mounts
from pilotfish.node.files.trees import try_remove_tree
from pilotfish.node.paths import PodPaths
from pilotfish.node.volumes import bound

log = logging.getLogger(__name__)


def remove_pod(paths: PodPaths) -> None:
    """Blocking; run it in a thread. Never deletes through a mount."""
    for run in paths.bound_runs():
        bound.release(run)
    mounts.unmount_below(paths.run, paths.state)
    for folder in (paths.run, paths.state):
        try_remove_tree(folder, log.warning)
