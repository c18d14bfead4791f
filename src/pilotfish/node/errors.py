"""The errors that the kubelet's parts raise for one another and for their callers."""

from __future__ import annotations


class LookupFailed(Exception):
    """A request names a Pod or container that cannot serve it.

    `code` is the HTTP status that the kubelet's server answers with, and the message is the
    text that `kubectl` prints.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class RuntimeFailed(Exception):
    """runc refused an operation; the message is runc's last error."""


class ContainerConfigError(Exception):
    """A container cannot be configured: a missing key, an unknown user, a bad field path.

    `reason` is the reason of the waiting state (`CreateContainerConfigError` or such).
    """

    def __init__(self, message: str, reason: str = "CreateContainerConfigError") -> None:
        super().__init__(message)
        self.reason = reason


class ImageError(Exception):
    """An image cannot be had; `reason` is `ErrImagePull`, `ErrImageNeverPull` or such."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class MountFailed(Exception):
    """A volume of a Pod cannot be set up; the message is the FailedMount Event's."""
