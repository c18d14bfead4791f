"""Named network namespaces, kept as `ip netns` keeps them: bind mounts in /run/netns.

A namespace is named by its plain name ("pf-default-node-1") or by a path ("/proc/1/ns/net");
every function that takes one takes both. A network namespace belongs to a *thread*: `inside`
moves the calling thread and always brings it back, so nothing may be awaited within it, and no
thread may be started there (it would inherit the namespace).
"""

from __future__ import annotations

import ctypes
import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path("/run/netns")

_CLONE_NEWNET = 0x40000000
_MS_BIND = 0x1000
_MS_REC = 0x4000
_MS_SHARED = 1 << 20
_MNT_DETACH = 2

# os.setns and os.unshare exist from Python 3.12 only.
_libc = ctypes.CDLL(None, use_errno=True)


def path(namespace: str) -> str:
    """The file that stands for a namespace: a name's place in /run/netns, a path as it is."""
    return namespace if "/" in namespace else f"{FOLDER}/{namespace}"


def exists(namespace: str) -> bool:
    """Whether the namespace is there. A name without its mount, a crash's leftover, is not."""
    try:
        device = Path(path(namespace)).stat().st_dev
    except FileNotFoundError:
        return False
    return "/" in namespace or device != FOLDER.stat().st_dev


def names(prefix: str = "") -> list[str]:
    """The named namespaces that begin with prefix, sorted."""
    if not FOLDER.is_dir():
        return []
    return sorted(entry.name for entry in FOLDER.iterdir() if entry.name.startswith(prefix))


def create(name: str, setup: Callable[[], None] | None = None) -> None:
    """Make a namespace with its loopback device still down; `setup` runs inside it.

    The work happens in a thread that ends with it, so that the caller's namespace is never at
    stake. Raises FileExistsError when the name is taken, OSError when the kernel refuses (no
    root: EPERM).
    """
    _prepare_folder()
    target = path(name)
    if not exists(name):
        Path(target).unlink(missing_ok=True)
    os.close(os.open(target, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444))
    failure: list[BaseException] = []

    def work() -> None:
        try:
            _check(_libc.unshare(_CLONE_NEWNET), "unshare", name)
            _mount(f"/proc/self/task/{threading.get_native_id()}/ns/net", target, _MS_BIND)
            if setup:
                setup()
        except BaseException as caught:
            failure.append(caught)

    thread = threading.Thread(target=work, name=f"netns-{name}")
    thread.start()
    thread.join()
    if failure:
        delete(name)
        raise failure[0]


def delete(name: str) -> None:
    """Drop the name; fine when it is not there.

    The kernel takes the namespace down (interfaces, routes, tables) soon after the last process
    and open file that hold it are gone, in the background.
    """
    target = path(name)
    if _libc.umount2(target.encode(), _MNT_DETACH) != 0:
        code = ctypes.get_errno()
        # EINVAL: a leftover plain file. The name's mount may also have been made elsewhere.
        if code not in (errno.EINVAL, errno.ENOENT):
            raise OSError(code, os.strerror(code), target)
    Path(target).unlink(missing_ok=True)


def remove_folder_if_empty() -> None:
    """Undo the /run/netns mount and folder once no namespace has a name; else do nothing."""
    if not FOLDER.is_dir() or any(FOLDER.iterdir()):
        return
    if _libc.umount2(str(FOLDER).encode(), _MNT_DETACH) != 0:
        code = ctypes.get_errno()
        if code != errno.EINVAL:  # EINVAL: a plain folder, no mount
            raise OSError(code, os.strerror(code), str(FOLDER))
    try:
        FOLDER.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EBUSY):
            raise


def enter(namespace: str) -> None:
    """Move the calling thread into the namespace for good (threads it starts follow).

    For a process' start, before it has other threads. Raises FileNotFoundError.
    """
    descriptor = os.open(path(namespace), os.O_RDONLY | os.O_CLOEXEC)
    try:
        _setns(descriptor, namespace)
    finally:
        os.close(descriptor)


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Run a block in the namespace, on the calling thread, and return. Do not await in it.

    Sockets opened within stay in the namespace: the way to get one there.
    Raises FileNotFoundError when there is no such namespace.
    """
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter(namespace)
        try:
            yield
        finally:
            _setns(home, "the namespace this thread came from")
    finally:
        os.close(home)


def sysctl(key: str, value: str | int) -> None:
    """Write /proc/sys/net/KEY ("ipv4/ip_forward") in the calling thread's namespace.

    Use it under `inside` or `create`'s setup. Raises FileNotFoundError for an unknown key.
    """
    descriptor = os.open(f"/proc/sys/net/{key}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, str(value).encode())
    finally:
        os.close(descriptor)


def has_sysctl(key: str) -> bool:
    """Whether this kernel, in the calling thread's namespace, knows /proc/sys/net/KEY."""
    return Path(f"/proc/sys/net/{key}").exists()


def _prepare_folder() -> None:
    """Make /run/netns a shared mount, so that names appear and vanish in every mount namespace.

    Otherwise a process with a copy of our mounts would keep a deleted namespace alive.
    """
    FOLDER.mkdir(mode=0o755, exist_ok=True)
    try:
        _mount("", str(FOLDER), _MS_SHARED | _MS_REC)
    except OSError as error:
        if error.errno != errno.EINVAL:  # EINVAL: not a mount point yet
            raise
        _mount(str(FOLDER), str(FOLDER), _MS_BIND | _MS_REC)
        _mount("", str(FOLDER), _MS_SHARED | _MS_REC)


def _mount(source: str, target: str, flags: int) -> None:
    _check(_libc.mount(source.encode(), target.encode(), b"none", flags, None), "mount", target)


def _setns(descriptor: int, namespace: str) -> None:
    _check(_libc.setns(descriptor, _CLONE_NEWNET), "setns", namespace)


def _check(result: int, call: str, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{call}: {os.strerror(code)}", what)
