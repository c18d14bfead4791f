"""The supervisor's control socket: one JSON line asks, one JSON line answers.

{"command": "status"}  →  {"pid": 71, "started": 12.5, "components": [{"name": …}, …]}
{"command": "stop"}    →  {"stopped": ["control-plane", "node-1"]}
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any, TypedDict, cast

if TYPE_CHECKING:
    from pathlib import Path

# A stop waits for the components' own end.
_TIMEOUT_S = 10.0


class ComponentStatus(TypedDict):
    """What the supervisor knows about one component; pid is 0 while it is down."""

    name: str
    pid: int
    restarts: int
    last_exit: str


class SupervisorStatus(TypedDict):
    """The answer to "status"."""

    pid: int
    components: list[ComponentStatus]


def listen(path: Path) -> socket.socket:
    """The supervisor's end. Replaces the socket of a supervisor that is gone."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(8)
    return listener


def status(path: Path) -> SupervisorStatus | None:
    """The supervisor's status, or None when none answers."""
    return cast("SupervisorStatus | None", _ask(path, "status"))


def stop(path: Path) -> list[str] | None:
    """Stop all components and the supervisor. Returns their names, None when none answers."""
    answer = _ask(path, "stop")
    return None if answer is None else list(answer["stopped"])


def _ask(path: Path, command: str) -> dict[str, Any] | None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_TIMEOUT_S)
        try:
            connection.connect(str(path))
            connection.sendall(json.dumps({"command": command}).encode() + b"\n")
            with connection.makefile("rb") as answer:
                line = answer.readline()
        except (FileNotFoundError, ConnectionError, TimeoutError):
            return None
    return cast("dict[str, Any]", json.loads(line)) if line else None
