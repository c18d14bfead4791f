"""An etcd of one's own: on loopback, with its data in a folder; killed and started again.

with Etcd(tmp_path / "etcd") as etcd:
    async with running_api_server(tmp_path, store_address=etcd.address()) as server: ...
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_START_LIMIT_S = 20.0


class Etcd:
    """A running etcd-server of one member."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        # The spare one is for changes that clients on the first are not to see.
        self.port, self.spare_port, self._peer_port = _free_ports()
        self._process: subprocess.Popen[bytes] | None = None

    def address(self, prefix: str = "") -> str:
        """Its address, as `--store` takes it."""
        return f"etcd://127.0.0.1:{self.port}{prefix}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        scheme = "https" if "--cert-file" in self._options else "http"
        peers = f"http://127.0.0.1:{self._peer_port}"
        clients = f"{scheme}://127.0.0.1:{self.port}"
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "etcd",
                    *("--name", "one", "--data-dir", str(self._folder / "data")),
                    *("--listen-client-urls", clients, "--advertise-client-urls", clients),
                    *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers),
                    *("--initial-cluster", f"one={peers}"),
                    *("--logger", "zap", "--log-level", "warn"),
                    *self._options,
                ],
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + _START_LIMIT_S
        while not self._answers(scheme):
            log_text = (self._folder / "log").read_text()
            assert self._process.poll() is None, f"etcd has ended: {log_text}"
            assert time.monotonic() < end, f"etcd does not answer: {log_text}"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Stop its clock: connections stay open, and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """The end of `pause`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def ctl(self, *arguments: str) -> str:
        """Run etcdctl; its output."""
        command = ["etcdctl", "--endpoints", f"127.0.0.1:{self.port}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout

    def listed(self, prefix: str = "/") -> Sequence[str]:
        """All keys that begin so."""
        return self.ctl("get", "--prefix", "--keys-only", prefix).split()

    def revision(self) -> int:
        """Its revision now."""
        found: list[dict[str, Any]] = json.loads(self.ctl("endpoint", "status", "-w", "json"))
        return int(found[0]["Status"]["header"]["revision"])

    def _answers(self, scheme: str) -> bool:
        if scheme == "https":
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/health", timeout=1
            ) as answer:
                return json.load(answer)["health"] in ("true", True)
        except OSError:
            return False


def _free_ports() -> tuple[int, int, int]:
    with socket.socket() as first, socket.socket() as second, socket.socket() as third:
        for each in (first, second, third):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1], third.getsockname()[1]
