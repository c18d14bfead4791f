"""Reading layers whatever they are compressed with: nothing, gzip, zstd; by their first bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


class HashingReader(io.RawIOBase):
    """Passes bytes through and knows the sha256 of what has been read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._hash.update(data)
        return data

    def digest_of_rest(self) -> str:
        """Read to the end, and return "sha256:…" of everything."""
        while self.read(1 << 20):
            pass
        return "sha256:" + self._hash.hexdigest()


@contextmanager
def decompressed(source: IO[bytes]) -> Iterator[IO[bytes]]:
    """The plain bytes of a seekable file. Raises FileNotFoundError when `zstd` is missing."""
    start = source.read(4)
    source.seek(0)
    if start.startswith(_GZIP):
        with gzip.GzipFile(fileobj=source) as plain:
            yield cast(IO[bytes], plain)
    elif start == _ZSTD:
        with _zstd(source) as plain_zstd:
            yield plain_zstd
    else:
        yield source


@contextmanager
def _zstd(source: IO[bytes]) -> Iterator[IO[bytes]]:
    if shutil.which("zstd") is None:
        raise FileNotFoundError(
            "the image's layers are compressed with zstd: install the program `zstd` "
            "(apt-get install zstd) and load the image again"
        )
    # A file between, so that no thread is needed to feed the process while we read from it.
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(source, copy)
        copy.seek(0)
        command = ["zstd", "-dcq"]
        with subprocess.Popen(command, stdin=copy, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            yield process.stdout
