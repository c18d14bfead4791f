"""How far this machine lets us protect a process from the kernel's OOM killer."""

from __future__ import annotations

import logging
from pathlib import Path

from pilotfish.node.qos import SPARED

log = logging.getLogger(__name__)

_OWN = Path("/proc/self/oom_score_adj")


def lowest_oom_score_adj(file: Path = _OWN) -> int:
    """The lowest oom_score_adj that containers can get; logs when that is less than is wanted.

    Lowering it takes CAP_SYS_RESOURCE (proc(5)), which a container around the cluster may lack.
    Tried on this process, which then gets back what it had.
    """
    own = int(file.read_text())
    try:
        file.write_text(f"{SPARED}\n")
    except PermissionError:
        log.warning(
            "without CAP_SYS_RESOURCE, Guaranteed Pods get oom_score_adj %d instead of %d: "
            "the kernel's OOM killer does not spare them",
            own,
            SPARED,
        )
        return own
    file.write_text(f"{own}\n")
    return SPARED
