"""What the error stream of exec and attach says about how the command ended.

From protocol v4 on it is a `Status` as JSON; a non-zero exit code is its cause with reason
ExitCode, and `kubectl exec` exits with that code. Before v4 it is a line of text, or nothing
for success. Source: k8s.io/apimachinery/pkg/util/remotecommand (NonZeroExitCodeReason,
ExitCodeCauseType).
"""

from __future__ import annotations

import json

from pilotfish.objects.meta import Object

_FIRST_VERSION_WITH_STATUS = 4


def exited(code: int) -> Object:
    """The Status of a command that ran and ended with `code`."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failed(message: str) -> Object:
    """The Status of a command that could not be run, or whose end is not known."""
    return {
        "metadata": {},
        "status": "Failure",
        "reason": "InternalError",
        "message": f"Internal error occurred: {message}",
        "details": {"causes": [{"message": message}]},
        "code": 500,
    }


def error_stream_bytes(status: Object, version: int) -> bytes:
    """How a client of this protocol version reads the Status."""
    if version >= _FIRST_VERSION_WITH_STATUS:
        return json.dumps(status, separators=(",", ":")).encode()
    return b"" if status["status"] == "Success" else str(status["message"]).encode()
