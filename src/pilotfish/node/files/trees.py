"""Walking and removing folders of any depth, without leaving them.

A Pod can nest folders thousands deep: neither a path (4,096 bytes) nor a recursion reaches the
bottom. The walk holds one descriptor at a time, goes down by name without following links or
crossing mounts, and goes up by ".." to the very folder that it came from.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from pilotfish.node.files.beneath import BENEATH, NO_SYMLINKS, NO_XDEV, open_at

_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_Identity = tuple[int, int]
# The folder's descriptor, the entry, and the names of the folders above it.
_Visit = Callable[[int, "os.DirEntry[str]", list[str]], None]


def remove_tree(path: Path) -> None:
    """Remove a file or a folder with all that is below it; fine when it is not there.

    Never deletes through a mount or a link. Raises OSError that names what is in the way.
    """
    try:
        parent = os.open(path.parent, _FOLDER | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        remove_entry(parent, path.name)
    except OSError as error:
        what = os.strerror(error.errno or 0)
        if error.filename != path.name:
            what = f"{error.strerror}: {error.filename}, somewhere below"
        raise OSError(error.errno, what, str(path)) from error
    finally:
        os.close(parent)


def empty_tree(path: Path) -> None:
    """Remove all that is below a folder, which stays: it may be a mount. Raises OSError."""
    _empty(os.open(path, _FOLDER | os.O_CLOEXEC))


def remove_entry(folder: int, name: str) -> None:
    """As remove_tree, for an entry of the folder that the descriptor means."""
    if not _removed(folder, name):
        _empty(_down(folder, name))
        os.rmdir(name, dir_fd=folder)


def try_remove_tree(path: Path, complain: Callable[[str], None]) -> bool:
    """As remove_tree, for what may stay when it must: says why and returns False."""
    try:
        remove_tree(path)
    except OSError as error:
        complain(f"cannot remove {error.filename}: {error.strerror}")
        return False
    return True


def files_below(path: Path) -> list[str]:
    """The relative paths of all that is no folder. Raises OSError."""
    found: list[str] = []
    _walk(
        os.open(path, _FOLDER | os.O_CLOEXEC),
        lambda _folder, entry, above: found.append("/".join([*above, entry.name])),
    )
    return found


def tree_bytes(path: Path) -> int:
    """The size of all regular files below a folder. Raises OSError."""
    total = 0

    def add(folder: int, entry: os.DirEntry[str], _above: list[str]) -> None:
        nonlocal total
        if entry.is_file(follow_symlinks=False):
            total += os.stat(entry.name, dir_fd=folder, follow_symlinks=False).st_size

    _walk(os.open(path, _FOLDER | os.O_CLOEXEC), add)
    return total


def _walk(folder: int, visit: _Visit) -> None:
    """Call `visit` for all that is no folder; closes the descriptor."""
    pending: list[tuple[_Identity, list[str]]] = []
    above: list[str] = []
    try:
        names = _visit_files(folder, visit, above)
        while True:
            if names:
                above.append(names.pop())
                below = _down(folder, above[-1])
                pending.append((_identity(folder), names))
                folder = _swap(folder, below)
                names = _visit_files(folder, visit, above)
            elif pending:
                identity, names = pending.pop()
                folder = _swap(folder, _up(folder, identity))
                above.pop()
            else:
                return
    finally:
        os.close(folder)


def _visit_files(folder: int, visit: _Visit, above: list[str]) -> list[str]:
    """The names of the folders; everything else is visited."""
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                names.append(entry.name)
            else:
                visit(folder, entry, above)
    return names


def _empty(folder: int) -> None:
    """Remove all that is in a folder; closes the descriptor."""
    above: list[tuple[_Identity, str]] = []
    try:
        while True:
            name = _remove_until_filled_folder(folder)
            if name is not None:
                below = _down(folder, name)
                above.append((_identity(folder), name))
                folder = _swap(folder, below)
            elif above:
                identity, name = above.pop()
                folder = _swap(folder, _up(folder, identity))
                os.rmdir(name, dir_fd=folder)
            else:
                return
    finally:
        os.close(folder)


def _remove_until_filled_folder(folder: int) -> str | None:
    """Remove entries up to the first folder that holds something; its name, None at the end."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not _removed(folder, entry.name):
                return entry.name
    return None


def _removed(folder: int, name: str) -> bool:
    """Remove a file or an empty folder; False for a folder that holds something."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return True
    except OSError as error:
        # Linux says EISDIR for a folder, POSIX allows EPERM.
        if error.errno not in (errno.EISDIR, errno.EPERM) or not _is_folder(folder, name):
            raise
        return _rmdir_if_empty(folder, name)
    return True


def _rmdir_if_empty(folder: int, name: str) -> bool:
    try:
        os.rmdir(name, dir_fd=folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return False
    return True


def _is_folder(folder: int, name: str) -> bool:
    try:
        os.close(open_at(folder, name, os.O_PATH | os.O_DIRECTORY, BENEATH | NO_SYMLINKS))
    except OSError:
        return False
    return True


def _down(folder: int, name: str) -> int:
    """Open a folder of this one. Raises OSError: EBUSY when something is mounted on it."""
    try:
        return open_at(folder, name, _FOLDER, BENEATH | NO_SYMLINKS | NO_XDEV)
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise OSError(errno.EBUSY, "something is mounted there", name) from error
        raise


def _up(folder: int, expected: _Identity) -> int:
    """Open the folder above, which must be the one that the walk came from."""
    above = os.open("..", _FOLDER | os.O_CLOEXEC, dir_fd=folder)
    if _identity(above) != expected:
        os.close(above)
        raise OSError(errno.ESTALE, "a folder was moved while its tree was walked")
    return above


def _identity(folder: int) -> _Identity:
    found = os.fstat(folder)
    return found.st_dev, found.st_ino


def _swap(old: int, new: int) -> int:
    os.close(old)
    return new
