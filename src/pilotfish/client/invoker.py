"""The person who runs a command: under sudo, the one who typed it, not root.

A cluster takes root, and kubectl does not. So `sudo pilotfish …` reads and writes the kubeconfig of
the person behind sudo, and what it writes is theirs. Root never follows their links: files in a
person's folder are opened with that person's rights, and the kernel refuses the rest.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OWN_COMMANDS = frozenset({"pilotfish", "kubectl-pilotfish"})
# As many as the kernel follows (MAXSYMLINKS, include/linux/namei.h).
_MOST_LINKS = 40


def person(environment: Mapping[str, str]) -> pwd.struct_passwd | None:
    """The user behind sudo; None where there is none, or it is root."""
    identity = environment.get("SUDO_UID", "")
    if os.geteuid() != 0 or not identity.isdecimal() or identity == "0":
        return None
    try:
        return pwd.getpwuid(int(identity))
    except (KeyError, OverflowError):
        return None


def home_folder(environment: Mapping[str, str]) -> Path:
    """The home folder whose kubeconfig a command uses.

    As for kubectl it is $HOME. But after `sudo pilotfish …` the person goes on with kubectl as
    themselves, so it is their home. In a root shell or a script, $HOME counts: there kubectl is
    root's, too. sudo says in $SUDO_COMMAND what was typed (sudo(8), ENVIRONMENT).
    """
    command = environment.get("SUDO_COMMAND", "").partition(" ")[0]
    behind = person(environment)
    if behind is not None and os.path.basename(command) in _OWN_COMMANDS:  # noqa: PTH119
        return Path(behind.pw_dir)
    home = environment.get("HOME", "")
    return Path(home) if home else Path.home()


def kubeconfig_files(environment: Mapping[str, str]) -> list[Path]:
    """The kubeconfig files that kubectl would read, first one first."""
    named = [Path(part) for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part]
    return named or [home_folder(environment) / ".kube" / "config"]


def state_home(environment: Mapping[str, str]) -> Path:
    """The folder for what programs keep (XDG Base Directory 0.8); it need not exist.

    Root keeps nothing in a home that is another's, as `sudo -E` would have it.
    """
    named = environment.get("XDG_STATE_HOME", "")
    # The specification: a path that is not absolute is to be ignored.
    if named.startswith("/"):
        return Path(named)
    home = Path.home()
    if os.geteuid() == 0 and _owner(home) not in (None, 0):
        home = Path(pwd.getpwuid(0).pw_dir)
    return home / ".local" / "state"


@contextlib.contextmanager
def as_owner_of(path: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Have the rights of whoever owns `path`, or will: files made in the block are theirs.

    That is the owner of the first file or folder on the way that is not root's; where all of them
    are root's and the last folder is open to all (as /tmp), the person behind sudo. The rights are
    those of the whole process, so no other thread may need root's meanwhile. Does nothing unless
    we are root. Raises OSError.
    """
    identity = owner_to_be(path, environment)
    if identity is None:
        yield
        return
    user, group, groups = identity
    before = os.getgroups()
    os.setgroups(groups)
    os.setegid(group)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


def owner_to_be(path: Path, environment: Mapping[str, str]) -> tuple[int, int, list[int]] | None:
    """User, group and further groups with whose rights root is to write `path`; None for root.

    Raises OSError for links that lead in a circle.
    """
    if os.geteuid() != 0:
        return None
    for _ in range(_MOST_LINKS):
        # `..` stays as it is: what stands before it may be a link.
        path = path.absolute()
        last = None
        for step in [*reversed(path.parents), path]:
            try:
                last = step.lstat()
            except (FileNotFoundError, NotADirectoryError):
                break
            if last.st_uid != 0:
                return _identity(last.st_uid, last.st_gid)
            if stat.S_ISLNK(last.st_mode):
                # Root's own link, as /var/run: go on where it leads to.
                path = step.parent / step.readlink() / path.relative_to(step)
                break
        else:
            return _guest(last, environment)
        if last is None or not stat.S_ISLNK(last.st_mode):
            return _guest(last, environment)
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _guest(
    last: os.stat_result | None, environment: Mapping[str, str]
) -> tuple[int, int, list[int]] | None:
    """The person behind sudo, where all is root's but open to everybody."""
    behind = person(environment)
    if behind is None or last is None or not last.st_mode & stat.S_IWOTH:
        return None
    return _identity(behind.pw_uid, behind.pw_gid)


def _identity(user: int, group: int) -> tuple[int, int, list[int]]:
    try:
        known = pwd.getpwuid(user)
    except KeyError:
        return user, group, [group]
    return user, known.pw_gid, os.getgrouplist(known.pw_name, known.pw_gid)


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except OSError:
        return None
