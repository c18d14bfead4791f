"""A network namespace with real servers, captured by tcpdump, read by us and by tshark."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pilotfish.network import links, namespaces
from pilotfish.network.netlink import Netlink
from pilotfish.tap.dissection import Dissection
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.files.reader import read_frames
from pilotfish.tap.key_log import KeyLog


def _loopback_up() -> None:
    with Netlink() as netlink:
        links.set_up(netlink, "lo")


class Machine:
    """A namespace of its own, where every well-known port is free."""

    def __init__(self, name: str, folder: Path) -> None:
        """Make the namespace; `folder` is for configurations, logs and captures."""
        self.name = name
        self.folder = folder
        namespaces.delete(name)
        namespaces.create(name, setup=_loopback_up)
        self._started: list[subprocess.Popen[bytes]] = []

    def run(self, *command: str | Path, **environment: str) -> str:
        """What a command says that has to succeed, in the namespace."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, *map(str, command)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={**os.environ, **environment},
            cwd="/",
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *command: str | Path, port: int, **environment: str) -> subprocess.Popen[bytes]:
        """Start a server, and wait until it listens; it ends with the machine, or before."""
        log = (self.folder / f"{Path(command[0]).name}.log").open("wb")
        started = subprocess.Popen(
            ["ip", "netns", "exec", self.name, *map(str, command)],
            stdout=log,
            stderr=log,
            env={**os.environ, **environment},
            cwd="/",
        )
        log.close()
        self._started.append(started)
        deadline = time.monotonic() + 20
        while not self._listens(port):
            text = Path(log.name).read_text(errors="replace")
            assert started.poll() is None, f"{command} has ended: {text}"
            assert time.monotonic() < deadline, f"{command} does not listen on {port}: {text}"
            time.sleep(0.05)
        return started

    def _listens(self, port: int) -> bool:
        with namespaces.inside(self.name):
            probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def stop(self) -> None:
        """Stop what was started, and remove the namespace."""
        for started in self._started:
            started.terminate()
        for started in self._started:
            try:
                started.wait(10)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()
        self._started.clear()
        namespaces.delete(self.name)

    @contextmanager
    def capture(self, name: str) -> Iterator[Capture]:
        """Capture what happens inside the block."""
        path = self.folder / f"{name}.pcap"
        command = ["tcpdump", "-i", "lo", "-Z", "root", "--immediate-mode", "-U"]
        # A slot of the ring for each packet: small enough for many of them.
        command += ["-s", "65600", "-B", "65536"]
        tcpdump = subprocess.Popen(
            ["ip", "netns", "exec", self.name, *command, "-w", str(path)], stderr=subprocess.PIPE
        )
        assert tcpdump.stderr is not None
        for line in tcpdump.stderr:
            if b"listening on" in line:
                break
        try:
            yield Capture(path)
            time.sleep(0.2)  # what the kernel has, tcpdump has not read yet
        finally:
            tcpdump.send_signal(signal.SIGINT)
            tcpdump.stderr.close()
            tcpdump.wait(10)


class Capture:
    """A capture file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exchanges(self, keys: Path | None = None) -> list[Exchange]:
        """What we find in it."""
        found: list[Exchange] = []
        dissection = Dissection(found.append, keys=KeyLog(keys) if keys else None)
        time_s = 0.0
        for frame in read_frames(self.path):
            time_s = frame.time_s
            dissection.feed(time_s, frame.data, frame.link_type)
        dissection.finish(time_s)
        assert dissection.undecoded == 0
        return found

    def tshark(self, display_filter: str, *fields: str, options: tuple[str, ...] = ()) -> list[str]:
        """What tshark finds in it: a line for each frame, values separated by `|`.

        A field that occurs several times in a frame has its values joined by `;`.
        """
        command = ["tshark", "-r", str(self.path), "-Y", display_filter, "-T", "fields", *options]
        command += ["-E", "separator=|", "-E", "aggregator=;"]
        for field in fields:
            command += ["-e", field]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        return [line for line in done.stdout.splitlines() if line.strip("|")]
