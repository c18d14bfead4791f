"""Removing what is left of a Pod on disk: mounts first, then files."""

from __future__ import annotations

import logging
import shutil

from pilotfish.node import mounts
from pilotfish.node.paths import PodPaths

log = logging.getLogger(__name__)


def remove_pod(paths: PodPaths) -> None:
    """Blocking; run it in a thread. Never deletes through a mount."""
    for folder in (paths.run, paths.state):
        mounts.unmount_below(folder)
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            log.warning("removing %s: %s", folder, error)
