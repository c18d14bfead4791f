"""The one error that reaches a user: what is wrong, where, and what to do about it."""

from __future__ import annotations

# Exit codes of the command line; docs/reference/cli.md lists them.
EXIT_FAILED = 1
EXIT_NOT_READY = 3
EXIT_UNKNOWN = 4


class ClusterError(Exception):
    """Something a person can act on.

    what: the thing that is wrong, without a full stop.
    where: the file, program, address or object that it is about.
    mend: what to do, as an imperative.
    exit_code: EXIT_FAILED for a failure, EXIT_NOT_READY when this machine lacks something,
    EXIT_UNKNOWN when the thing named does not exist.
    """

    def __init__(self, what: str, where: str, mend: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(f"{what}; {where}; {mend}")
        self.what = what
        self.where = where
        self.mend = mend
        self.exit_code = exit_code
