"""Image `host`: the machine's own file system, less what is nobody's business in a Pod.

overlayfs takes `/` as a lower layer (submounts such as /proc do not come along). Above it lies
the *hidden layer*, a small tmpfs of whiteouts that makes the machine's secrets invisible at the
cost of no mount per container.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path

from pilotfish.node import mounts
from pilotfish.node.oci.spec import DEFAULT_PATH, ImageConfig

REFERENCE = "docker.io/library/host:latest"

# Hidden altogether when they exist.
_SECRETS = (
    "etc/shadow",
    "etc/shadow-",
    "etc/gshadow",
    "etc/gshadow-",
    "etc/kubernetes",
    "etc/rancher",
    "var/lib/kubelet",
    "var/lib/pilotfish",
)
_HOME_SECRETS = (
    ".kube",
    ".ssh",
    ".aws",
    ".azure",
    ".config/gcloud",
    ".docker",
    ".gnupg",
    ".netrc",
    ".git-credentials",
    ".pypirc",
)
# Empty in every Pod: fresh mounts of their own, or nothing that outlives the machine's boot.
EMPTY_FOLDERS = ("run",)


def python_folder() -> str:
    """Where this machine keeps python3: the interpreter itself, not a shim or a venv's link."""
    for folder in (Path(sys.base_prefix) / "bin", Path(sys.executable).resolve().parent):
        if (folder / "python3").exists():
            return str(folder)
    found = shutil.which("python3")
    return str(Path(found).resolve().parent) if found else ""


def host_config() -> ImageConfig:
    folder = python_folder()
    inherited = DEFAULT_PATH.split(":")
    path = DEFAULT_PATH if not folder or folder in inherited else f"{DEFAULT_PATH}:{folder}"
    return ImageConfig(env=(f"PATH={path}",))


def secret_paths(root: Path, extra: tuple[str, ...] = ()) -> list[str]:
    """Relative paths, below `root`, of what exists and shall be hidden."""
    wanted = [*_SECRETS, *extra]
    homes = ["root"]
    if (root / "home").is_dir():
        homes += [f"home/{entry.name}" for entry in (root / "home").iterdir() if entry.is_dir()]
    wanted += [f"{home}/{secret}" for home in homes for secret in _HOME_SECRETS]
    if (root / "etc/ssh").is_dir():
        wanted += [f"etc/ssh/{entry.name}" for entry in (root / "etc/ssh").glob("*_key")]
    found = [path for path in dict.fromkeys(wanted) if os.path.lexists(root / path)]
    return [path for path in found if not _within_another(path, found)]


def _within_another(path: str, others: list[str]) -> bool:
    """Whether a folder above the path is hidden anyway."""
    return any(path.startswith(f"{other}/") for other in others)


def make_hidden_layer(layer: Path, root: Path, secrets: list[str]) -> None:
    """Fill a layer with whiteouts for `secrets` and with empty folders for EMPTY_FOLDERS.

    The folders on the way get the attributes of the machine's, because overlayfs shows those of
    the uppermost layer.
    """
    for secret in secrets:
        below = layer
        for part in Path(secret).parts[:-1]:
            below = below / part
            if not below.exists():
                below.mkdir()
                _copy_attributes(root / below.relative_to(layer), below)
        hidden = layer / secret
        if not os.path.lexists(hidden):
            os.mknod(hidden, stat.S_IFCHR, os.makedev(0, 0))
    for name in EMPTY_FOLDERS:
        folder = layer / name
        folder.mkdir(exist_ok=True)
        _copy_attributes(root / name, folder)
        os.setxattr(folder, "trusted.overlay.opaque", b"y")
    _copy_attributes(root, layer)


def _copy_attributes(source: Path, target: Path) -> None:
    found = source.stat()
    os.chown(target, found.st_uid, found.st_gid)
    target.chmod(stat.S_IMODE(found.st_mode))


def mount_hidden_layer(layer: Path, extra_secrets: tuple[str, ...] = ()) -> None:
    """Put the hidden layer, a tmpfs, in place; fine when it is there already.

    It cannot be a plain folder: overlayfs refuses a lower layer inside of another one.
    """
    layer.mkdir(parents=True, exist_ok=True)
    if any(point.path == str(layer) for point in mounts.mount_points()):
        return
    mounts.mount("tmpfs", layer, "tmpfs", mounts.MS_NODEV | mounts.MS_NOSUID, "mode=755")
    root = Path("/")
    try:
        make_hidden_layer(layer, root, secret_paths(root, extra_secrets))
    except OSError:
        mounts.unmount(layer)  # half a layer would be taken for a whole one
        raise
