"""Unpacking a layer: a tar stream into a folder that overlayfs can use as a lower layer.

Whiteouts of the image format (OCI image-spec, layer.md) become overlayfs' own: `.wh.NAME` a
character device 0:0, `.wh..wh..opq` the attribute trusted.overlay.opaque of its folder.
Nothing is ever written outside of the folder: every entry is made relative to the descriptor of
the folder that it lies in, and names with `..` and names that lead through a symbolic link are
refused.
"""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pilotfish.node.files import beneath
from pilotfish.node.files.trees import remove_entry

_PREFIX = ".wh."
_OPAQUE = ".wh..wh..opq"
_PAX_XATTR = "SCHILY.xattr."
# Others steer overlayfs (trusted.overlay.redirect) or the machine's security modules.
_XATTRS = ("user.", "security.capability", "system.posix_acl_")
# PATH_MAX: no program could open a longer one by its path.
_MAX_NAME_BYTES = 4095
_NAME_ERRORS = (errno.ENAMETOOLONG, errno.EINVAL)
_CHUNK_BYTES = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY


class UnsafeArchive(ValueError):
    """The archive tries to write outside of its folder, or holds what no folder can hold."""


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UnsafeArchive(f'refused: the archive\'s entry "{name}" leads outside of the image')
    if len(os.fsencode("/".join(parts))) > _MAX_NAME_BYTES:
        raise UnsafeArchive(
            f'refused: the name of the archive\'s entry "{name[:40]}..." is longer than a path '
            f"can be ({_MAX_NAME_BYTES} bytes)"
        )
    return parts


@contextmanager
def _folder_of(root: int, name: str, parts: list[str]) -> Iterator[int]:
    """The folder of an entry, made where missing and never reached through a link."""
    folder = _open_folder(root, parts)
    if folder is None:
        folder = _make_folders(root, name, parts)
    try:
        yield folder
    finally:
        os.close(folder)


def _open_folder(root: int, parts: list[str]) -> int | None:
    """A folder of the archive; None when there is none by that path, or a link is on the way."""
    path = "/".join(parts) or "."
    try:
        return beneath.open_at(root, path, _FOLDER, beneath.BENEATH | beneath.NO_SYMLINKS)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        return None


def _make_folders(root: int, name: str, parts: list[str]) -> int:
    folder = os.dup(root)
    for part in parts:
        try:
            mode = _mode(folder, part)
            if mode is not None and stat.S_ISLNK(mode):
                raise UnsafeArchive(
                    f'refused: the archive\'s entry "{name}" leads through a symbolic link'
                )
            if mode is None or not stat.S_ISDIR(mode):
                remove_entry(folder, part)
                os.mkdir(part, 0o755, dir_fd=folder)
            below = beneath.open_at(folder, part, _FOLDER, beneath.BENEATH | beneath.NO_SYMLINKS)
        finally:
            os.close(folder)
        folder = below
    return folder


def _mode(folder: int, name: str) -> int | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return None


def _make(
    archive: tarfile.TarFile, member: tarfile.TarInfo, root: int, folder: int, name: str
) -> None:
    mode = _mode(folder, name)
    if member.isdir():
        if mode is None or not stat.S_ISDIR(mode):
            remove_entry(folder, name)
            os.mkdir(name, 0o755, dir_fd=folder)
        return
    if mode is not None:
        remove_entry(folder, name)
    if member.issym():
        os.symlink(member.linkname, name, dir_fd=folder)
    elif member.islnk():
        _link(member, root, folder, name)
    elif member.isfifo():
        os.mkfifo(name, dir_fd=folder)
    elif member.ischr() or member.isblk():
        kind = stat.S_IFCHR if member.ischr() else stat.S_IFBLK
        device = os.makedev(member.devmajor, member.devminor)
        os.mknod(name, kind | 0o600, device, dir_fd=folder)
    elif source := archive.extractfile(member):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=folder)
        with os.fdopen(descriptor, "wb") as target:
            _copy(source, target)


def _link(member: tarfile.TarInfo, root: int, folder: int, name: str) -> None:
    parts = _parts(member.linkname)
    if not parts:
        raise UnsafeArchive(f'refused: the archive\'s hard link "{member.name}" names no file')
    with _folder_of(root, member.linkname, parts[:-1]) as source:
        try:
            os.link(parts[-1], name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, PermissionError) as error:
            raise UnsafeArchive(
                f'refused: the archive\'s hard link "{member.name}" names "{member.linkname}", '
                "which is no file of the archive"
            ) from error


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    """Copy, leaving out long runs of zeros: a file of 500 GB of nothing takes no room."""
    while chunk := source.read(_CHUNK_BYTES):
        if len(chunk) == _CHUNK_BYTES and not chunk.strip(b"\0"):
            target.seek(len(chunk), os.SEEK_CUR)
        else:
            target.write(chunk)
    target.truncate()


def _set_metadata(member: tarfile.TarInfo, folder: int, name: str) -> None:
    os.chown(name, member.uid, member.gid, dir_fd=folder, follow_symlinks=False)
    found = beneath.open_at(folder, name, os.O_PATH | os.O_NOFOLLOW, 0)
    try:
        if not member.issym():
            path = beneath.path_of(found)
            path.chmod(member.mode & 0o7777)
            _set_attributes(member, path)
    finally:
        os.close(found)


def _set_attributes(member: tarfile.TarInfo, path: Path) -> None:
    for key, value in member.pax_headers.items():
        name = key.removeprefix(_PAX_XATTR)
        if name != key and name.startswith(_XATTRS):
            os.setxattr(path, name, value.encode("utf-8", "surrogateescape"))


def _hide(member: tarfile.TarInfo, folder: int, name: str) -> None:
    """A whiteout: nothing of that name is to be seen of the layers below."""
    hidden = name.removeprefix(_PREFIX)
    if hidden in ("", ".", ".."):
        raise UnsafeArchive(f'refused: bad whiteout "{member.name}" in the archive')
    remove_entry(folder, hidden)
    os.mknod(hidden, stat.S_IFCHR, os.makedev(0, 0), dir_fd=folder)


def unpack(stream: IO[bytes], root: Path) -> int:
    """Unpack an uncompressed tar stream into `root`, an empty folder; returns its bytes.

    Raises UnsafeArchive, tarfile.TarError for a damaged stream, OSError.
    """
    size_bytes = 0
    folders: list[tuple[list[str], float]] = []
    with beneath.opened(root, _FOLDER) as top, tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            try:
                parts = _parts(member.name)
                _unpack_member(archive, member, top, parts)
            except UnsafeArchive:
                raise
            except (OverflowError, ValueError, OSError) as error:
                if isinstance(error, OSError) and error.errno not in _NAME_ERRORS:
                    raise
                raise UnsafeArchive(
                    f'refused: the archive\'s entry "{member.name[:40]}" is malformed: {error}'
                ) from error
            size_bytes += member.size
            if member.isdir():
                folders.append((parts, member.mtime))
        for parts, mtime in reversed(folders):
            _set_time(top, parts, mtime)
    return size_bytes


def _unpack_member(
    archive: tarfile.TarFile, member: tarfile.TarInfo, root: int, parts: list[str]
) -> None:
    name = parts[-1] if parts else "."
    with _folder_of(root, member.name, parts[:-1]) as folder:
        if name == _OPAQUE:
            os.setxattr(folder, "trusted.overlay.opaque", b"y")
        elif name.startswith(_PREFIX):
            _hide(member, folder, name)
        else:
            if parts:
                _make(archive, member, root, folder, name)
            if not member.islnk():
                _set_metadata(member, folder, name)
            if not (member.isdir() or member.issym() or member.islnk()):
                os.utime(name, (member.mtime, member.mtime), dir_fd=folder, follow_symlinks=False)


def _set_time(root: int, parts: list[str], mtime: float) -> None:
    """A folder's time, once all is in it; nothing when a later entry took its place."""
    folder = _open_folder(root, parts)
    if folder is None:
        return
    try:
        os.utime(folder, (mtime, mtime))
    finally:
        os.close(folder)
