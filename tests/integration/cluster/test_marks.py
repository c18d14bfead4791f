"""Processes known by their marks, and those who only say that they are one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pilotfish.cluster import marks

_MARKED = """
import sys
from pilotfish.cluster import marks
marks.set_own("marked-test", "node-1")
print(flush=True)
sys.stdin.read()
"""


@contextmanager
def marked(*wrapper: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has marked itself; `wrapper` is a command that runs it."""
    child = subprocess.Popen(
        [*wrapper, sys.executable, "-c", _MARKED], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdin is not None
    try:
        assert child.stdout.readline() == b"\n"
        yield child
    finally:
        child.stdin.close()
        child.wait()
        child.stdout.close()


def test_a_process_is_found_by_its_mark_and_by_no_other_cluster() -> None:
    with marked() as child:
        [found] = marks.find("marked-test")
        assert (found.process.pid, found.component) == (child.pid, "node-1")
        assert marks.find("marked") == []
    assert marks.find("marked-test") == []


def test_a_mark_made_in_a_container_counts_for_nothing() -> None:
    """A mount namespace of its own is what each container has, and cannot leave."""
    with marked("unshare", "--mount", "--") as child:
        assert marks.of(child.pid) is None


def test_a_mark_of_another_user_counts_for_nothing() -> None:
    with marked("setpriv", "--reuid=65534", "--") as child:
        assert marks.of(child.pid) is None
