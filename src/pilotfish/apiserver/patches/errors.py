"""What is wrong with a patch."""

from __future__ import annotations


class PatchError(Exception):
    """A patch that is no patch: refused with 400."""


class PatchFailedError(Exception):
    """A patch that does not fit the object: refused with 422."""
