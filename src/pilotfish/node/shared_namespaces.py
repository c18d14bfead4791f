"""The ipc and uts namespaces that the containers of one Pod share.

They are kept by bind mounts of files, as named network namespaces are: no pause process.
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path

from pilotfish.node import mounts

_CLONE = {"uts": 0x04000000, "ipc": 0x08000000}

_libc = ctypes.CDLL(None, use_errno=True)


def create(files: dict[str, Path]) -> None:
    """Make a namespace per kind ("ipc", "uts") and bind it to its file.

    A namespace belongs to a thread: one of its own makes them and ends, so nothing else of this
    process is moved. Raises OSError.
    """
    failure: list[BaseException] = []

    def work() -> None:
        try:
            flags = sum(_CLONE[kind] for kind in files)
            if _libc.unshare(flags) != 0:
                code = ctypes.get_errno()
                raise OSError(code, f"unshare: {os.strerror(code)}", " ".join(files))
            for kind, file in files.items():
                file.touch()
                source = f"/proc/self/task/{threading.get_native_id()}/ns/{kind}"
                mounts.bind(source, file)
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=work, name="pod-namespaces")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


def is_namespace(file: Path) -> bool:
    """Whether a namespace is bound there: nsfs files are on a device of their own."""
    return file.exists() and file.stat().st_dev != file.parent.stat().st_dev
