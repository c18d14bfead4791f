"""The kubeconfig that a long-lived command goes by, as it is at each moment.

The context is chosen once: when somebody switches kubectl to another cluster, or starts one, a
page that is open does not follow. The rest is read again, since a cluster that was started again
under its old name has other certificates.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pilotfish.client.config import ClientConfig, current_context
from pilotfish.client.invoker import kubeconfig_files


class Kubeconfig:
    """One context of a kubeconfig.

    Attributes:
        path: the file, where one was named; else those that kubectl goes by.
        context: its name; "" until the kubeconfig says which is the current one.
    """

    def __init__(self, path: Path | None = None, context: str = "") -> None:
        self.context = context
        self.path = path
        self._signature: list[tuple[int, int, int]] = []

    def read(self) -> ClientConfig:
        """How to reach the cluster now. Raises ConfigError."""
        self._signature = self._signature_now()
        if not self.context:
            self.context = current_context(self.path)
        return ClientConfig.from_kubeconfig(self.path, self.context)

    def touched(self) -> bool:
        """Whether a file of it was written since it was read."""
        return self._signature_now() != self._signature

    def _signature_now(self) -> list[tuple[int, int, int]]:
        found = []
        for file in [self.path] if self.path else kubeconfig_files(os.environ):
            with contextlib.suppress(OSError):
                stat = file.stat()
                found.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
        return found
