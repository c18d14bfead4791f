"""More of the machine for a Pod of image `host`: asked for by the Pod, allowed by the owner.

The Pod's author names paths in the annotation `pilotfish.dev/host-paths`, separated by commas. The
cluster's owner allows them, or folders above them, by `pilotfish up --allow-host-path`. They are
mounted read-only at their own place.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from pilotfish.node import mounts
from pilotfish.node.errors import ContainerConfigError
from pilotfish.node.files import beneath
from pilotfish.node.oci.mounts import Mount, bind
from pilotfish.node.volumes import bound
from pilotfish.objects.meta import Object, annotations_of

ANNOTATION = "pilotfish.dev/host-paths"


def wanted_paths(pod: Object) -> list[PurePosixPath]:
    """The paths that a Pod asks for. Raises ContainerConfigError for one that is none."""
    texts = [text.strip() for text in annotations_of(pod).get(ANNOTATION, "").split(",")]
    paths = [PurePosixPath(text) for text in texts if text]
    for path in paths:
        if not path.is_absolute() or ".." in path.parts or path == PurePosixPath("/"):
            raise ContainerConfigError(
                f'annotation {ANNOTATION}: "{path}" must be an absolute path without ".."'
            )
    return paths


def host_path_mounts(pod: Object, allowed: tuple[str, ...], folder: Path) -> list[Mount]:
    """The mounts for the paths that a Pod asks for, their sources bound in `folder`.

    Raises ContainerConfigError when the cluster's owner has not allowed one, OSError.
    """
    result = []
    for number, path in enumerate(wanted_paths(pod)):
        found = _open(path, allowed)
        try:
            source = bound.bind(found, folder, f"host-{number}", mounts.MS_PRIVATE)
        finally:
            os.close(found)
        # Not by runc alone: a place for a mount inside of it would be made on the machine.
        bound.make_read_only(source)
        result.append(bind(str(path), str(source), read_only=True))
    return result


def _open(path: PurePosixPath, allowed: tuple[str, ...]) -> int:
    """A descriptor of the path; links below the allowed folder may not lead out of it."""
    above = next((root for root in allowed if path.is_relative_to(root)), None)
    if above is None:
        raise ContainerConfigError(
            f'annotation {ANNOTATION}: the owner of the cluster does not allow "{path}"; '
            f"start the cluster with `pilotfish up --allow-host-path {path}`"
        )
    rest = str(path.relative_to(above))
    try:
        with beneath.opened(above, os.O_PATH) as root:
            return os.dup(root) if rest == "." else beneath.find(root, rest)
    except OSError as error:
        message = f'annotation {ANNOTATION}: cannot open "{path}": {error.strerror}'
        raise ContainerConfigError(message) from error
