"""The root file system of containers of image `host`.

    ROOT/            overlay: a skeleton (a tmpfs) below, the container's writable layer on top
    ROOT/usr, ...    an overlay each: the machine's folder below, a writable layer on top

The skeleton has the empty folders and copies of the allowed parts of /etc. It is made again when
those parts change; containers that stand on an old one keep it.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from pilotfish.node import mounts
from pilotfish.node.files.trees import remove_tree
from pilotfish.node.images import host

_MAX_FILE_BYTES = 4 << 20
_EVERYBODY_READS = stat.S_IROTH
# Inode and time of the last change; None for what is not there.
_Mark = tuple[int, int] | None


class HostView:
    """`folder` is the node's own, for skeletons; `root` is the machine's."""

    def __init__(self, folder: Path, root: Path = Path("/")) -> None:
        self._folder = folder
        self._root = root
        self._programs = host.program_folders(host.python_folder())
        self._made: Path | None = None
        self._marks: dict[str, _Mark] = {}
        self._number = 0

    def prepare(self) -> None:
        """Mount the tmpfs for the skeletons; fine when it is there."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if os.path.ismount(self._folder):
            self._number = max((int(entry.name) for entry in self._folder.iterdir()), default=0)
            return
        flags = mounts.MS_NODEV | mounts.MS_NOSUID
        mounts.mount("tmpfs", self._folder, "tmpfs", flags, "mode=755")

    def mount(self, upper: Path, work: Path, target: Path, read_only: bool) -> None:
        """Mount the view at `target`, with writable layers in `upper` and `work`.

        `read_only` is for the folders of programs: runc sees to the root itself.
        """
        skeleton = self._skeleton()
        self._overlay(skeleton, upper / "root", work / "root", target, read_only=False)
        for name in self._program_folders():
            part = name.replace("/", "-")
            source = self._root / name
            self._overlay(source, upper / part, work / part, target / name, read_only)

    def _overlay(self, lower: Path, upper: Path, work: Path, target: Path, read_only: bool) -> None:
        for folder in (upper, work):
            folder.mkdir(parents=True, exist_ok=True)
        _copy_attributes(lower, upper)
        mounts.overlay([str(lower)], upper, work, target, mounts.MS_RDONLY if read_only else 0)

    def _program_folders(self) -> list[str]:
        """Those that this machine has as folders; others are links into them."""
        paths = ((name, self._root / name) for name in self._programs)
        return [name for name, path in paths if path.is_dir() and not path.is_symlink()]

    def _skeleton(self) -> Path:
        """The newest skeleton, made when what it shows of the machine has changed."""
        # Every container asks: looking at what was found is far cheaper than finding it.
        if self._made is None or any(_mark(path) != mark for path, mark in self._marks.items()):
            # Looked at before the copying: what changes meanwhile is noticed the next time.
            marks = {path: _mark(path) for path in self._watched()}
            self._number += 1
            made = self._folder / str(self._number)
            self._make(made)
            self._made, self._marks = made, marks
            self._remove_unused(made)
        return self._made

    def _watched(self) -> Iterator[str]:
        """The paths that change when a package or an administrator changes what is shown."""
        for name in ("", "etc", *host.SERVICE_FOLDERS):
            yield str(self._root / name)
        for pattern in host.ETC:
            for parent in Path(pattern).parents[:-1]:
                yield str(self._root / "etc" / parent)
        for path in self._etc():
            yield str(path)
            if not path.is_symlink():
                yield from (folder for folder, _names, _files in os.walk(path))

    def _etc(self) -> list[Path]:
        etc = self._root / "etc"
        return [path for pattern in host.ETC for path in sorted(etc.glob(pattern))]

    def _make(self, skeleton: Path) -> None:
        skeleton.mkdir()
        _copy_attributes(self._root, skeleton)
        for name in host.EMPTY_FOLDERS:
            self._make_like(skeleton, name)
        (skeleton / "var/run").symlink_to("/run")
        (skeleton / "var/lock").symlink_to("/run/lock")
        for name in host.SERVICE_FOLDERS:
            folder = self._root / name
            if folder.is_dir():
                for entry in folder.iterdir():
                    if entry.is_dir() and not entry.is_symlink():
                        self._make_like(skeleton, f"{name}/{entry.name}")
        for name in self._programs:
            self._make_program_folder(skeleton, name)
        for path in self._etc():
            self._copy(path, skeleton)

    def _make_like(self, skeleton: Path, name: str) -> None:
        """An empty folder with the machine's owner and mode."""
        made = skeleton / name
        made.mkdir(exist_ok=True)
        if (self._root / name).is_dir():
            _copy_attributes(self._root / name, made)

    def _make_program_folder(self, skeleton: Path, name: str) -> None:
        """The place of a folder of programs, or the link that the machine has there."""
        source = self._root / name
        if source.is_symlink():
            (skeleton / name).symlink_to(source.readlink())
        elif source.is_dir():
            (skeleton / name).mkdir(parents=True, exist_ok=True)

    def _copy(self, source: Path, skeleton: Path) -> None:
        """Copy a file, a link, or a folder with all of them; what is not for everybody stays."""
        target = skeleton / source.relative_to(self._root)
        found = source.lstat()
        if stat.S_ISLNK(found.st_mode):
            self._make_parents(target, skeleton)
            if not target.is_symlink():
                target.symlink_to(source.readlink())
        elif not found.st_mode & _EVERYBODY_READS:
            return
        elif stat.S_ISDIR(found.st_mode):
            self._make_parents(target / "x", skeleton)
            for entry in sorted(source.iterdir()):
                self._copy(entry, skeleton)
        elif stat.S_ISREG(found.st_mode) and found.st_size <= _MAX_FILE_BYTES:
            self._make_parents(target, skeleton)
            shutil.copyfile(source, target, follow_symlinks=False)
            _copy_attributes(source, target)

    def _make_parents(self, path: Path, skeleton: Path) -> None:
        for parent in reversed(path.relative_to(skeleton).parents[:-1]):
            if not (skeleton / parent).exists():
                self._make_like(skeleton, str(parent))

    def _remove_unused(self, newest: Path) -> None:
        """Remove older skeletons that no container stands on."""
        points = mounts.mount_points()
        used = {folder for point in points for folder in point.overlay_folders()}
        for skeleton in self._folder.iterdir():
            if skeleton != newest and str(skeleton) not in used:
                remove_tree(skeleton)


def _mark(path: str) -> _Mark:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _copy_attributes(source: Path, target: Path) -> None:
    found = source.stat()
    os.chown(target, found.st_uid, found.st_gid)
    target.chmod(stat.S_IMODE(found.st_mode))
