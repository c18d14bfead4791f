"""A request's trail in the audit log: what is known of it so far, written as it is answered."""

from __future__ import annotations

from aiohttp import web

from pilotfish.apiserver.audit import AuditLog, at_stage, describe, new_event
from pilotfish.apiserver.authentication import User
from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.objects.meta import Object


class Trail:
    """What the audit log is to say of one request.

    Attributes:
        user: who makes it, once that is known.
        acting: as whom.
        failure: the Status that was answered, where it is a refusal.
    """

    def __init__(
        self, log: AuditLog, request: web.BaseRequest, asked: Attributes, version: str
    ) -> None:
        self._log = log
        self._event = new_event(request)
        self._asked = asked
        self._version = version
        self.user: User | None = None
        self.acting: User | None = None
        self.failure: Object | None = None

    def start(self) -> None:
        """Write that a long answer begins."""
        self._write("ResponseStarted", 200)

    def complete(self, code: int) -> None:
        """Write that the answer is complete."""
        self._write("ResponseComplete", code)

    def _write(self, stage: str, code: int) -> None:
        describe(self._event, self._asked, self._version, self.user, self.acting)
        allowed = code not in (401, 403)
        self._log.write(at_stage(self._event, stage, code, self.failure, allowed))
