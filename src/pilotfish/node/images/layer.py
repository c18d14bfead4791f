"""Unpacking a layer: a tar stream into a folder that overlayfs can use as a lower layer.

Whiteouts of the image format (OCI image-spec, layer.md) become overlayfs' own: `.wh.NAME` a
character device 0:0, `.wh..wh..opq` the attribute trusted.overlay.opaque of its folder.
Nothing is ever written outside of the folder: names with `..` and names that lead through a
symbolic link are refused.
"""

from __future__ import annotations

import os
import stat
import tarfile
from pathlib import Path
from typing import IO

_PREFIX = ".wh."
_OPAQUE = ".wh..wh..opq"
_PAX_XATTR = "SCHILY.xattr."


class UnsafeArchive(ValueError):
    """The archive tries to write outside of its folder."""


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UnsafeArchive(f'refused: the archive\'s entry "{name}" leads outside of the image')
    return parts


def _inside(root: Path, name: str) -> Path:
    """The path of an entry, its parents made where missing and never followed as links."""
    parts = _parts(name)
    path = root
    for part in parts[:-1]:
        path = path / part
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            path.mkdir(mode=0o755)
            continue
        if stat.S_ISLNK(mode):
            raise UnsafeArchive(
                f'refused: the archive\'s entry "{name}" leads through a symbolic link'
            )
        if not stat.S_ISDIR(mode):
            path.unlink()
            path.mkdir(mode=0o755)
    return path / parts[-1] if parts else root


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    for child in path.iterdir():
        _remove(child)
    path.rmdir()


def _make(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path, path: Path) -> None:
    if member.isdir():
        if path.is_symlink() or not path.is_dir():
            _remove(path)
            path.mkdir()
        return
    _remove(path)
    if member.issym():
        path.symlink_to(member.linkname)
    elif member.islnk():
        target = _inside(root, member.linkname)
        if target.is_symlink() and not member.issym():
            os.link(target, path, follow_symlinks=False)
        else:
            os.link(target, path)
    elif member.isfifo():
        os.mkfifo(path)
    elif member.ischr() or member.isblk():
        kind = stat.S_IFCHR if member.ischr() else stat.S_IFBLK
        os.mknod(path, kind | 0o600, os.makedev(member.devmajor, member.devminor))
    elif source := archive.extractfile(member):
        with path.open("wb") as target_file:
            while chunk := source.read(1 << 20):
                target_file.write(chunk)


def _set_metadata(member: tarfile.TarInfo, path: Path) -> None:
    os.chown(path, member.uid, member.gid, follow_symlinks=False)
    if member.issym():
        return
    path.chmod(member.mode & 0o7777)
    for key, value in member.pax_headers.items():
        if key.startswith(_PAX_XATTR):
            data = value.encode("utf-8", "surrogateescape")
            os.setxattr(path, key.removeprefix(_PAX_XATTR), data, follow_symlinks=False)


def unpack(stream: IO[bytes], root: Path) -> int:
    """Unpack an uncompressed tar stream into `root`, an empty folder; returns its bytes.

    Raises UnsafeArchive, tarfile.TarError for a damaged stream, OSError.
    """
    size_bytes = 0
    folders: list[tuple[Path, float]] = []
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = _inside(root, member.name)
            if path.name == _OPAQUE:
                os.setxattr(path.parent, "trusted.overlay.opaque", b"y")
                continue
            if path.name.startswith(_PREFIX) and path != root:
                hidden = path.with_name(path.name.removeprefix(_PREFIX))
                if hidden.name in ("", ".", ".."):
                    raise UnsafeArchive(f'refused: bad whiteout "{member.name}" in the archive')
                _remove(hidden)
                os.mknod(hidden, stat.S_IFCHR, os.makedev(0, 0))
                continue
            if path != root:
                _make(archive, member, root, path)
            if not member.islnk():
                _set_metadata(member, path)
            size_bytes += member.size
            if member.isdir():
                folders.append((path, member.mtime))
            elif not member.issym() and not member.islnk():
                os.utime(path, (member.mtime, member.mtime))
    for path, mtime in reversed(folders):
        if path.is_dir() and not path.is_symlink():
            os.utime(path, (mtime, mtime))
    return size_bytes
