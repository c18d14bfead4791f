"""The files that a user gives the API server, looked at before a cluster is made for nothing."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from pilotfish.cluster.errors import ClusterError


def check_audit_log(path: Path) -> None:
    """Raise ClusterError unless the file can be written; makes it, as the API server would."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    except OSError as error:
        raise ClusterError(
            f"the audit log cannot be written ({error.strerror})",
            f"--audit-log {path}",
            "name a file in a folder that exists",
        ) from error


def check_token_file(path: Path) -> None:
    """Raise ClusterError unless it is a file of static tokens."""
    # Loaded by those who have one: most do not.
    from pilotfish.apiserver.authentication import read_token_file

    try:
        read_token_file(path)
    except (OSError, ValueError, csv.Error) as error:
        raise ClusterError(
            f"not a file of static tokens ({error})",
            f"--token-auth-file {path}",
            'write lines of: token,user,uid,"group,group"',
        ) from error
