"""A container's last words: what it wrote to terminationMessagePath, or the end of its log.

https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
"""

from __future__ import annotations

from pathlib import Path

from pilotfish.node.logs.cri import parse_entry
from pilotfish.objects.meta import Object

DEFAULT_PATH = "/dev/termination-log"
_MAX_BYTES = 4096
_MAX_LOG_BYTES = 2048
_MAX_LOG_LINES = 80


def read_termination_message(file: Path, log_file: Path, container: Object, code: int) -> str:
    """The message, "" for none; with FallbackToLogsOnError the log's end when `code` is not 0."""
    try:
        message = _end_of(file, _MAX_BYTES).decode(errors="replace")
    except FileNotFoundError:
        message = ""
    policy = container.get("terminationMessagePolicy")
    if message or policy != "FallbackToLogsOnError" or code == 0:
        return message
    return _end_of_log(log_file)


def _end_of(file: Path, limit_bytes: int) -> bytes:
    """The last bytes of a file of any size, as the kubelet reads them (pkg/util/tail)."""
    with file.open("rb") as source:
        end = source.seek(0, 2)
        source.seek(max(0, end - limit_bytes))
        return source.read(limit_bytes)


def _end_of_log(log_file: Path) -> str:
    try:
        lines = _end_of(log_file, 4 * _MAX_LOG_BYTES).split(b"\n")
    except FileNotFoundError:
        return ""
    entries = [entry for line in lines if (entry := parse_entry(line))]
    text = b"".join(
        entry.content + (b"\n" if entry.full else b"") for entry in entries[-_MAX_LOG_LINES:]
    )
    return text[-_MAX_LOG_BYTES:].decode(errors="replace")
