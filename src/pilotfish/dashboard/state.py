"""The user's state folder: keys that are nobody else's business, and which proxies run.

`$XDG_STATE_HOME/pilotfish`, by default `~/.local/state/pilotfish`; 0700, its files 0600.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from pilotfish.client.invoker import state_home

_KEY_BYTES = 32
_SECRET = re.compile(rf"[0-9a-f]{{{2 * _KEY_BYTES}}}")


def state_folder() -> Path:
    """The folder, made if there is none. Raises OSError."""
    folder = state_home(os.environ) / "pilotfish"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Somebody may have made it before with the usual rights.
    folder.chmod(0o700)
    return folder


def secret(folder: Path, name: str) -> str:
    """The secret of that name (hexadecimal), made if there is none yet. Raises OSError."""
    path = folder / name
    with contextlib.suppress(FileNotFoundError):
        found = path.read_text().strip()
        if _SECRET.fullmatch(found):
            path.chmod(0o600)
            return found
    made = secrets.token_hex(_KEY_BYTES)
    temporary = folder / f".{name}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, f"{made}\n".encode())
    finally:
        os.close(descriptor)
    temporary.replace(path)
    return made


@dataclass(frozen=True)
class Running:
    """A proxy that runs.

    Attributes:
        url: where its page is.
        kubeconfig, context: which cluster it shows, as it was asked for.
        instance: names this run of it; links are good for one run only.
        pid: its process.
    """

    url: str
    kubeconfig: str
    context: str
    instance: str
    pid: int


class Record:
    """Tells other commands of this user of a proxy, for as long as it runs.

    That the file is locked says that its writer is alive, whatever became of the process id.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self._path = folder / f"proxy-{port}.json"
        self._descriptor: int | None = None

    def write(self, running: Running) -> None:
        """Tell of it until `close`. Raises BlockingIOError where another one runs."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, orjson.dumps(asdict(running)), 0)

    def close(self) -> None:
        """It ends."""
        if self._descriptor is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def read(self) -> Running | None:
        """The proxy of this port that runs now; None without one."""
        with contextlib.suppress(FileNotFoundError), self._path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Running(**orjson.loads(file.read()))
        return None
