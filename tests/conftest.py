"""What all tests rely on, wherever they are started from."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# A shell that begins us in the background (`make test &`) has interrupts ignored, and children
# inherit that. Some tests end children as Ctrl-C does; a handler is reset for them by execve(2).
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def installed_programs() -> Iterator[None]:
    """Let kubectl find its plugin, as `make test` does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        yield


@pytest.fixture(scope="session", autouse=True)
def temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where programs and libraries put what they forget: caches of clients, a browser's socket.

    pytest removes it with its own folders.
    """
    folder = str(tmp_path_factory.mktemp("forgotten"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield
