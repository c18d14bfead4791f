"""subPath: one file or folder of a volume, never anything outside of it."""

from __future__ import annotations

import errno
import os
import stat

from pilotfish.node.errors import ContainerConfigError
from pilotfish.node.files import beneath


def open_sub_path(volume: int, sub_path: str) -> int:
    """An O_PATH descriptor of what is to be bound; made as a folder when missing.

    `volume` is a descriptor of the volume's folder. Links are followed (configMap files are
    links), but not out of the volume. The containers of the Pod may change the volume meanwhile:
    only the descriptor that this returns is safe to bind. Raises ContainerConfigError.
    """
    if sub_path.startswith("/") or ".." in sub_path.split("/"):
        raise ContainerConfigError(f"subPath {sub_path!r} must be relative and without '..'")
    mode = stat.S_IMODE(os.fstat(volume).st_mode)
    try:
        return beneath.find_or_make(volume, sub_path, mode)
    except OSError as error:
        # A magic link (/proc/PID/root) and a link to nothing count as leading out too.
        if error.errno in (errno.EXDEV, errno.ELOOP):
            message = f"subPath {sub_path!r} leads outside of its volume"
            raise ContainerConfigError(message) from error
        raise ContainerConfigError(f"subPath {sub_path!r}: {error.strerror}") from error
