"""Creating and deleting an owner's Pods: with the Events that tell of it, and what to expect.

What every controller of Pods does the same way. A Pod that was created or
deleted is expected in the watch until it shows there; a refusal takes the
expectation back.
"""

from __future__ import annotations

from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError, Conflict, NotFound
from pilotfish.client.events import EventRecorder
from pilotfish.controllers.controller import is_namespace_terminating
from pilotfish.controllers.expectations import Expectations
from pilotfish.objects.meta import Object, is_deleting, name_of, namespace_of, uid_of


class PodControl:
    """The hand by which one controller makes and removes Pods.

    Attributes:
        expected: what it has asked for and not yet seen, by the owner's key.
    """

    def __init__(self, client: Client, events: EventRecorder) -> None:
        self.expected = Expectations()
        self._client = client
        self._events = events

    def saw(self, key: str, pod: Object, is_gone: bool = False) -> None:
        """The watch has shown a Pod of the owner with that key."""
        self.expected.created(key, name_of(pod))
        if is_gone or is_deleting(pod):
            self.expected.deleted(key, name_of(pod))

    async def create(self, key: str, owner: Object, pod: Object) -> None:
        """Create a Pod of the owner.

        Raises:
            ApiError: when the API server refuses it, which an Event has told by then.
        """
        self.expected.expect_created(key, [name_of(pod)])
        try:
            await self._client.create("pods", pod)
        except BaseException as error:
            self.expected.created(key, name_of(pod))
            if isinstance(error, ApiError) and not is_namespace_terminating(error):
                message = f"Error creating: {error.message}"
                self._events.record(owner, "Warning", "FailedCreate", message)
            raise
        message = f"Created pod: {name_of(pod)}"
        self._events.record(owner, "Normal", "SuccessfulCreate", message)

    async def delete(self, key: str, owner: Object, pod: Object) -> None:
        """Delete a Pod of the owner; that it has gone already is as good.

        Raises:
            ApiError: when the API server refuses, which an Event has told by then.
        """
        self.expected.expect_deleted(key, [name_of(pod)])
        try:
            await self._client.delete("pods", name_of(pod), namespace_of(pod), uid=uid_of(pod))
        except (NotFound, Conflict):
            self.expected.deleted(key, name_of(pod))
            return
        except BaseException as error:
            self.expected.deleted(key, name_of(pod))
            if isinstance(error, ApiError):
                message = f"Error deleting: {error.message}"
                self._events.record(owner, "Warning", "FailedDelete", message)
            raise
        message = f"Deleted pod: {name_of(pod)}"
        self._events.record(owner, "Normal", "SuccessfulDelete", message)
