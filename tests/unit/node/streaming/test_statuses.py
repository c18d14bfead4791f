"""What the error stream says."""

from __future__ import annotations

import json

from pilotfish.node.streaming.statuses import error_stream_bytes, exited, failed


def test_success_has_the_words_of_the_kubelet() -> None:
    assert error_stream_bytes(exited(0), 4) == b'{"metadata":{},"status":"Success"}'


def test_an_exit_code_is_the_cause_of_the_failure() -> None:
    status = json.loads(error_stream_bytes(exited(137), 5))
    assert status["status"] == "Failure"
    assert status["reason"] == "NonZeroExitCode"
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "137"}]
    assert status["message"] == "command terminated with non-zero exit code: exit status 137"


def test_a_command_that_cannot_run_is_an_internal_error() -> None:
    status = json.loads(error_stream_bytes(failed("no such file"), 4))
    assert (status["code"], status["reason"]) == (500, "InternalError")
    assert status["message"] == "Internal error occurred: no such file"


def test_protocols_before_v4_say_it_in_plain_text() -> None:
    assert error_stream_bytes(exited(0), 1) == b""
    assert error_stream_bytes(exited(1), 3) == (
        b"command terminated with non-zero exit code: exit status 1"
    )
