"""What can go wrong between a client and the Kubernetes API."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """The API server refused a request, and said why in a Status.

    Attributes:
        status: the metav1.Status as it came.
        code: the HTTP status code.
        reason: the machine-readable reason, such as `NotFound`.
        message: the sentence for people.
    """

    def __init__(self, status: dict[str, Any], code: int) -> None:
        self.status = status
        self.code = code
        self.reason: str = status.get("reason", "")
        self.message: str = status.get("message", "") or f"HTTP {code}"
        super().__init__(self.message)


class NotFound(ApiError):
    """There is no such object, or no such resource."""


class Conflict(ApiError):
    """The object changed since it was read: read again, and repeat."""


class Forbidden(ApiError):
    """Who asks may not do that."""


class AlreadyExists(ApiError):
    """An object of that name is there already."""


class Invalid(ApiError):
    """The object was refused; `status.details.causes` names the fields."""


class Gone(ApiError):
    """The resourceVersion is older than the server remembers: list again."""


class Unreachable(Exception):
    """No answer came: the server is down, or the connection broke."""


_BY_REASON: dict[str, type[ApiError]] = {
    "NotFound": NotFound,
    "Conflict": Conflict,
    "AlreadyExists": AlreadyExists,
    "Forbidden": Forbidden,
    "Invalid": Invalid,
    "Gone": Gone,
    "Expired": Gone,
}
_BY_CODE: dict[int, type[ApiError]] = {
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
}


def error_of(status: dict[str, Any], code: int) -> ApiError:
    """The exception that fits a Status and the code that it came with."""
    found = _BY_REASON.get(status.get("reason", "")) or _BY_CODE.get(code, ApiError)
    return found(status, code)
