"""Refusals, as the `Status` objects of the Kubernetes API: code, reason, message, details.

Clients decide by code and reason, people by the message; both are kube-apiserver's own
("Response Status Kind" in the Kubernetes API conventions).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import orjson

from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource


class FieldCause(Protocol):
    """What `validation.causes.Cause` has: one field that is wrong, and why."""

    @property
    def field(self) -> str:
        """Path of the field: `spec.ports[0].port`."""

    @property
    def reason(self) -> str:
        """`FieldValueInvalid`, `FieldValueRequired`, …"""

    @property
    def message(self) -> str:
        """`Invalid value: 70000: must be between 1 and 65535, inclusive`."""


class StatusError(Exception):
    """A request that is answered with a failure Status."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = headers or {}

    def body(self) -> Object:
        """The Status object."""
        status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details:
            status["details"] = dict(self.details)
        status["code"] = self.code
        return status


def success(code: int, details: Mapping[str, Any] | None = None) -> Object:
    """The Status of a request that has no object to answer with."""
    status: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details:
        status["details"] = dict(details)
    if code != 200:
        status["code"] = code
    return status


def quoted(text: str) -> str:
    """Text in quotes, as Go's %q writes it into messages."""
    # Bytes of a URL that are no Unicode are shown as escapes, so that the text is JSON.
    return orjson.dumps(text.encode(errors="backslashreplace").decode()).decode()


def details_of(resource: Resource, name: str = "", uid: str = "") -> Object:
    """StatusDetails that name an object; `kind` holds the plural, as kube-apiserver has it."""
    details = {"name": name, "group": resource.group, "kind": resource.plural, "uid": uid}
    return {key: value for key, value in details.items() if value}


def bad_request(message: str) -> StatusError:
    """400: the request cannot be understood."""
    return StatusError(400, "BadRequest", message)


def unauthorized() -> StatusError:
    """401: who asks is not known."""
    return StatusError(401, "Unauthorized", "Unauthorized")


def forbidden(
    resource: Resource, name: str, why: str, causes: Iterable[Mapping[str, str]] = ()
) -> StatusError:
    """403: understood and refused, for the reason given."""
    details = details_of(resource, name)
    if causes:
        details["causes"] = [dict(cause) for cause in causes]
    message = f'{resource.full_name} "{name}" is forbidden: {why}'
    return StatusError(403, "Forbidden", message, details)


def path_not_found() -> StatusError:
    """404: no such path, resource or API version."""
    message = "the server could not find the requested resource"
    return StatusError(404, "NotFound", message)


def not_found(resource: Resource, name: str) -> StatusError:
    """404: no such object."""
    message = f'{resource.full_name} "{name}" not found'
    return StatusError(404, "NotFound", message, details_of(resource, name))


def method_not_allowed() -> StatusError:
    """405: the resource does not know this verb."""
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message)


def not_acceptable(accepted: str) -> StatusError:
    """406: no shape that the client accepts can be produced."""
    message = f"only the following media types are accepted: {accepted}"
    return StatusError(406, "NotAcceptable", message)


def already_exists(resource: Resource, name: str) -> StatusError:
    """409: a create under a taken name."""
    message = f'{resource.full_name} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, details_of(resource, name))


def conflict(resource: Resource, name: str, why: str) -> StatusError:
    """409: the object is not what the request supposes it to be."""
    message = f'Operation cannot be fulfilled on {resource.full_name} "{name}": {why}'
    return StatusError(409, "Conflict", message, details_of(resource, name))


def modified(resource: Resource, name: str) -> StatusError:
    """409: somebody wrote the object since the client read it."""
    return conflict(
        resource,
        name,
        "the object has been modified; please apply your changes to the latest version and "
        "try again",
    )


class Outdated(StatusError):
    """409: another API server has written what this one was about to write; read again."""

    def __init__(self, name: str) -> None:
        super().__init__(
            409,
            "Conflict",
            f"{name} has been modified; please apply your changes to the latest version and try "
            "again",
        )


def expired(message: str) -> StatusError:
    """410: the resource version asked for is no longer remembered; the client lists again."""
    return StatusError(410, "Expired", message)


def too_large(limit: int) -> StatusError:
    """413: a body beyond the limit, in bytes."""
    message = f"Request entity too large: limit is {limit}"
    return StatusError(413, "RequestEntityTooLarge", message)


def unsupported_media_type(accepted: Iterable[str]) -> StatusError:
    """415: a body in an encoding that is not read here."""
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(accepted)
    )
    return StatusError(415, "UnsupportedMediaType", message)


def invalid(kind: str, group: str, name: str, causes: Iterable[FieldCause]) -> StatusError:
    """422: fields that may not hold what they hold, one cause for each."""
    found = list(causes)
    texts = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in found))
    listed = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    qualified = f"{kind}.{group}" if group else kind
    details: Object = {"name": name, "group": group, "kind": kind}
    details = {key: value for key, value in details.items() if value}
    details["causes"] = [
        {"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in found
    ]
    return StatusError(422, "Invalid", f'{qualified} "{name}" is invalid: {listed}', details)


def too_many_requests(message: str, causes: Iterable[Mapping[str, str]] = ()) -> StatusError:
    """429: not now; a disruption budget holds it back."""
    details = {"causes": [dict(cause) for cause in causes]}
    return StatusError(429, "TooManyRequests", message, details if causes else None)


def unavailable(message: str) -> StatusError:
    """503: what we depend on does not answer.

    Without a Retry-After, by which Go's clients would try ten times before they say anything.
    """
    return StatusError(503, "ServiceUnavailable", message)


def internal(message: str) -> StatusError:
    """500: our own fault."""
    details = {"causes": [{"message": message}]}
    text = f"Internal error occurred: {message}"
    return StatusError(500, "InternalError", text, details)
