"""Opening a path below a folder whose content belongs to a Pod or an image.

Whoever can write to the folder can swap a directory for a link at any moment. A path that was
checked and is then used as a string again leads elsewhere the second time. So a path is resolved
once, by the kernel, below a descriptor (openat2(2)); from then on only the descriptor counts.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# linux/openat2.h
NO_XDEV = 0x01
NO_MAGICLINKS = 0x02
NO_SYMLINKS = 0x04
BENEATH = 0x08
IN_ROOT = 0x10
_SYS_OPENAT2 = 437  # the same number on every architecture

# The kernel gives up with EAGAIN when a rename on the machine raced the walk of a "..".
_ATTEMPTS = 64

_libc = ctypes.CDLL(None, use_errno=True)


class NotRegular(OSError):
    """A folder, a device or a pipe stands where a regular file belongs."""


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def open_at(folder: int, path: str, flags: int, resolve: int) -> int:
    """openat2(2) of `path` relative to the descriptor `folder`; the caller closes the result.

    Raises OSError with the path's name: EXDEV for a path that leads out (BENEATH, NO_XDEV), ELOOP
    for a link (NO_SYMLINKS), EINVAL for a name with a zero byte.
    """
    if "\0" in path:
        raise OSError(errno.EINVAL, "the path has a zero byte", path.replace("\0", "\\0"))
    how = _OpenHow(flags | os.O_CLOEXEC, 0, resolve)
    name = os.fsencode(path)
    for _ in range(_ATTEMPTS):
        descriptor = _libc.syscall(
            ctypes.c_long(_SYS_OPENAT2),
            ctypes.c_int(folder),
            ctypes.c_char_p(name),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
        if descriptor >= 0:
            return int(descriptor)
        code = ctypes.get_errno()
        if code not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(code, os.strerror(code), path)


@contextmanager
def opened(path: Path | str, flags: int = os.O_PATH | os.O_DIRECTORY) -> Iterator[int]:
    """A descriptor of a path that only the node and the machine's owner can change."""
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def find(folder: int, path: str) -> int:
    """Any kind of file below `folder`, as an O_PATH descriptor; links may not lead out.

    Raises OSError: EXDEV for a path that leads out, ENOENT.
    """
    return open_at(folder, path, os.O_PATH, BENEATH | NO_MAGICLINKS)


def find_or_make(folder: int, path: str, mode: int, resolve: int = BENEATH) -> int:
    """As `find`, with folders of that mode made for what is missing.

    `resolve` IN_ROOT takes the folder for the root, as for a path of the machine from "/".
    Raises OSError: EXDEV for a path that leads out, ELOOP for a link to nothing.
    """
    resolve |= NO_MAGICLINKS
    parts = [part for part in path.split("/") if part not in ("", ".")]
    existing = len(parts)
    while True:
        try:
            found = open_at(folder, "/".join(parts[:existing]) or ".", os.O_PATH, resolve)
            break
        except FileNotFoundError:
            if existing == 0:
                raise
            existing -= 1
    for name in parts[existing:]:
        try:
            below = _make_folder(found, name, mode)
        finally:
            os.close(found)
        found = below
    return found


def _make_folder(folder: int, name: str, mode: int) -> int:
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=folder)
        made = open_at(folder, name, os.O_PATH | os.O_DIRECTORY, BENEATH | NO_SYMLINKS)
        path_of(made).chmod(mode)  # beyond the umask
        return made
    return open_at(folder, name, os.O_PATH, BENEATH | NO_SYMLINKS)


def find_or_make_file(folder: int, name: str, resolve: int) -> int:
    """An entry of the folder, as an O_PATH descriptor; an empty file is made when it is missing."""
    with suppress(FileExistsError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        os.close(os.open(name, flags, 0o644, dir_fd=folder))
    return open_at(folder, name, os.O_PATH, resolve)


def path_of(descriptor: int) -> Path:
    """A path that means exactly this descriptor, for system calls that take paths only."""
    return Path(f"/proc/self/fd/{descriptor}")


def read_in_root(root: Path, name: str, limit_bytes: int) -> bytes:
    """The beginning of a regular file of a root file system, b"" when it has none.

    Links are followed as a process with that root would follow them.
    """
    with opened(root) as folder:
        try:
            found = open_at(folder, name, os.O_PATH, IN_ROOT | NO_MAGICLINKS)
        except OSError:
            return b""
    try:
        return read_regular(found, limit_bytes)
    except NotRegular:
        return b""


def read_regular(found: int, limit_bytes: int) -> bytes:
    """The beginning of the file of an O_PATH descriptor, which is closed.

    Only a regular file is opened for real: a device or a pipe does things when opened. Raises
    NotRegular, OSError.
    """
    try:
        if not stat.S_ISREG(os.fstat(found).st_mode):
            raise NotRegular("not a regular file")
        with path_of(found).open("rb") as file:
            return file.read(limit_bytes)
    finally:
        os.close(found)
