"""The audit log: who asked for what, one JSON line a request.

Lines are audit.k8s.io/v1 Events of level Metadata ("Auditing" in the Kubernetes documentation):
at stage ResponseComplete, and for watches and connections at ResponseStarted as well. The file is
renamed when it is full, and the oldest one is removed.
"""

from __future__ import annotations

import logging
import os
import uuid
from pathlib import Path
from typing import Final

import orjson
from aiohttp import web

from pilotfish.apiserver.authentication import User
from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.objects.meta import Object
from pilotfish.objects.times import now_micro

log = logging.getLogger(__name__)

_MOST_BYTES: Final = 100 * 1024 * 1024
_MOST_FILES: Final = 5


class AuditLog:
    """A file of audit events, with so many older ones beside it: FILE.1 is the youngest."""

    def __init__(
        self, path: Path, most_bytes: int = _MOST_BYTES, most_files: int = _MOST_FILES
    ) -> None:
        """
        Args:
            most_bytes: at which size the file is put aside.
            most_files: how many are kept, the one being written among them.

        Raises:
            OSError: when it cannot be written.
        """
        self._path = path
        self._most_bytes = most_bytes
        self._most_files = most_files
        self._open()

    def _open(self) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file = os.fdopen(descriptor, "ab", buffering=0)
        self._bytes = self._file.tell()

    def write(self, event: Object) -> None:
        """Append an event."""
        line = orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
        try:
            if self._bytes + len(line) > self._most_bytes and self._bytes:
                self._rotate()
            self._file.write(line)
        except OSError as error:
            # As with kube-apiserver's default: a full disk does not end the service.
            log.error("an audit event could not be written to %s: %s", self._path, error)
            return
        self._bytes += len(line)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        older = [self._path.with_name(f"{self._path.name}.{n}") for n in range(self._most_files)]
        older[0] = self._path
        for number in range(self._most_files - 1, 0, -1):
            if older[number - 1].exists():
                older[number - 1].replace(older[number])
        if self._most_files == 1:
            self._path.unlink()
        self._open()


def new_event(request: web.BaseRequest) -> Object:
    """The event of a request that was just received."""
    peer = request.remote
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": str(uuid.uuid4()),
        "stage": "RequestReceived",
        "requestURI": request.raw_path,
        "verb": request.method.lower(),
        "user": {},
        "sourceIPs": [peer] if peer else [],
        "userAgent": request.headers.get("User-Agent", ""),
        "requestReceivedTimestamp": now_micro(),
    }


def describe(
    event: Object, asked: Attributes, version: str, user: User | None, acting: User | None
) -> None:
    """Write into an event who asks, and for what.

    Args:
        user: who has shown who he is; None for a stranger.
        acting: as whom the request is made, where that is somebody else.
    """
    event["verb"] = asked.verb
    event["user"] = user.info() if user is not None else {}
    if acting is not None and acting is not user:
        event["impersonatedUser"] = acting.info()
    if asked.resource:
        fields = {
            "resource": asked.resource,
            "namespace": asked.namespace,
            "name": asked.name,
            "apiGroup": asked.group,
            "apiVersion": version,
            "subresource": asked.subresource,
        }
        event["objectRef"] = {key: value for key, value in fields.items() if value}


def at_stage(event: Object, stage: str, code: int, failure: Object | None, allowed: bool) -> Object:
    """The event at a stage of the answer.

    Args:
        failure: the Status that is answered; None for a success.
    """
    status: Object = {"metadata": {}, "code": code}
    if failure is not None:
        status |= {key: failure[key] for key in ("status", "message", "reason") if key in failure}
    decision = "allow" if allowed else "forbid"
    return {
        **event,
        "stage": stage,
        "responseStatus": status,
        "stageTimestamp": now_micro(),
        "annotations": {"authorization.k8s.io/decision": decision},
    }
